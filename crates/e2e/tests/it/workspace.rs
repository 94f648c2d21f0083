//! The files of the project, for the tests that read them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder with the workspace manifest.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("the crate lies two folders below the root")
        .to_owned()
}

/// The text of a file, by its path below the root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read `{path}`: {error}"))
}

/// Every Rust file of our crates with its text; the path is below the root, with slashes.
pub(crate) fn sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    collect(&root().join("crates"), &mut paths);
    let below_root = |path: &Path| {
        path.strip_prefix(root())
            .expect("found below the root")
            .display()
            .to_string()
    };
    let sources: Vec<_> = paths
        .iter()
        .map(|path| below_root(path))
        .map(|path| (path.clone(), read(&path)))
        .collect();
    assert!(
        sources.len() > 50,
        "only {} Rust files found: the search is broken",
        sources.len()
    );
    sources
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folders of the project can be listed") {
        let path = entry.expect("folders of the project can be listed").path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}
