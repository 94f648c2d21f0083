//! Documents on disk that a reader sees whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use anyhow::Context;
use serde::{Serialize, de::DeserializeOwned};

/// How the names of files begin that are not whole yet.
const STAGED: &str = ".staged-";

/// Writes `bytes` to `path`, making its folder: under a name of their own, synced, then renamed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_whole(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}

/// Writes `document` as indented JSON.
pub(crate) fn write_json(path: &Path, document: &impl Serialize) -> anyhow::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(document).expect("our documents have text as keys");
    bytes.push(b'\n');
    write(path, &bytes)
}

/// Reads a document; nothing where there is no file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    let context = || format!("cannot read `{}`", path.display());
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.with_context(context)?,
    };
    serde_json::from_slice(&bytes).with_context(context).map(Some)
}

/// Removes what killed processes were writing in `folder`, when nobody else writes there.
pub(crate) fn remove_staged(folder: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot list `{}`", folder.display()))?,
    };
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list `{}`", folder.display()))?;
        if entry.file_name().as_encoded_bytes().starts_with(STAGED.as_bytes()) {
            let path = entry.path();
            fs::remove_file(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
    }
    Ok(())
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut staged = tempfile::Builder::new().prefix(STAGED).tempfile_in(folder)?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    staged.persist(path)?;
    // Without this the rename itself may be lost with the power.
    File::open(folder)?.sync_all()
}
