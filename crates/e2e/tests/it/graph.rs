//! The crates and what they use, held against the table in `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};

use crate::workspace;

/// Crates that serve tests only: each may use what it likes, and none is part of a program.
const DEV: [&str; 3] = ["test-support", "fuzz-targets", "e2e"];

/// Programs that meet in files and over HTTP only.
const NEVER_LINKED: [&str; 3] = ["trainer", "server", "pipeline"];

/// Without these in the table, the fences would guard nothing.
const MUST_BE_FENCED: [&str; 6] = ["axum", "burn", "kube", "object_store", "safetensors", "saphyr-parser"];

/// One row of the table.
struct Row {
    name: String,
    uses: BTreeSet<String>,
    fences: BTreeSet<String>,
}

/// The table under the heading "The crates", whose rows are sorted from the lowest floor upwards.
fn table() -> Vec<Row> {
    let text = workspace::read("ARCHITECTURE.md");
    let section = text.split("\n## ").find(|section| section.starts_with("The crates\n"));
    let rows = section
        .expect("ARCHITECTURE.md has a section `The crates`")
        .lines()
        .filter_map(row)
        .collect::<Vec<_>>();
    assert!(
        rows.len() > 10,
        "only {} rows understood: the table is broken",
        rows.len()
    );
    rows
}

/// `| crate | one sentence | uses (ours) | fences in |`; other lines are no rows.
fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
    let [name, _sentence, uses, fences] = cells[..] else {
        return None;
    };
    let name = quoted(name).pop_first()?;
    Some(Row {
        name,
        uses: quoted(uses),
        fences: quoted(fences),
    })
}

/// What stands in backticks.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn metadata() -> Metadata {
    let manifest = workspace::root().join("Cargo.toml");
    // Without dependencies cargo resolves nothing, so this needs neither network nor lock.
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .exec()
        .expect("cargo describes the workspace")
}

fn uses(package: &Package, kinds: &[DependencyKind]) -> BTreeSet<String> {
    package
        .dependencies
        .iter()
        .filter(|used| kinds.contains(&used.kind))
        .map(|used| used.name.clone())
        .collect()
}

const SHIPPED: [DependencyKind; 2] = [DependencyKind::Normal, DependencyKind::Build];
const ANY: [DependencyKind; 3] = [
    DependencyKind::Normal,
    DependencyKind::Build,
    DependencyKind::Development,
];

#[test]
fn the_crates_use_what_the_table_says_and_nothing_else() {
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let written: BTreeMap<String, BTreeSet<String>> = table().into_iter().map(|row| (row.name, row.uses)).collect();
    assert_eq!(
        ours,
        written.keys().cloned().collect(),
        "left: the crates, right: the rows of ARCHITECTURE.md"
    );
    for package in &metadata.packages {
        let standing = &uses(package, &SHIPPED) & &ours;
        let name = package.name.as_str();
        assert_eq!(
            standing, written[name],
            "left: what `{name}` uses, right: what ARCHITECTURE.md says"
        );
    }
}

#[test]
fn every_arrow_points_down() {
    let mut lower = BTreeSet::new();
    for row in table() {
        let not_below: Vec<&String> = row.uses.difference(&lower).collect();
        assert!(
            not_below.is_empty(),
            "`{}` uses {not_below:?}, which do not stand above it in the table",
            row.name
        );
        lower.insert(row.name);
    }
}

#[test]
fn tests_use_only_crates_that_their_crate_stands_on() {
    // Rows come lowest first, so what a crate stands on is complete when its own row is reached.
    let mut stands_on: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Row { name, uses, .. } in table() {
        let below = uses
            .iter()
            .flat_map(|used| stands_on.get(used).into_iter().flatten())
            .cloned();
        let all = below.chain(uses.iter().cloned()).collect();
        stands_on.insert(name, all);
    }
    let metadata = metadata();
    let ours: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    for package in metadata
        .packages
        .iter()
        .filter(|package| !DEV.contains(&package.name.as_str()))
    {
        let mut in_tests = &uses(package, &[DependencyKind::Development]) & &ours;
        in_tests.remove("test-support");
        let others = &in_tests - &stands_on[package.name.as_str()];
        assert!(
            others.is_empty(),
            "tests of `{}` use {others:?}, on which it does not stand",
            package.name
        );
    }
}

#[test]
fn programs_meet_in_files_and_over_http_only() {
    for package in metadata()
        .packages
        .iter()
        .filter(|package| !DEV.contains(&package.name.as_str()))
    {
        for program in NEVER_LINKED.into_iter().chain(DEV) {
            assert!(
                !uses(package, &SHIPPED).contains(program),
                "`{}` links `{program}`",
                package.name
            );
        }
    }
}

#[test]
fn a_heavy_dependency_is_used_by_one_crate() {
    let table = table();
    let fenced: BTreeSet<&str> = table.iter().flat_map(|row| &row.fences).map(String::as_str).collect();
    for heavy in MUST_BE_FENCED {
        assert!(
            fenced.contains(heavy),
            "`{heavy}` is not fenced in by any row of the table"
        );
    }
    let metadata = metadata();
    for row in &table {
        for package in metadata
            .packages
            .iter()
            .filter(|package| !DEV.contains(&package.name.as_str()))
        {
            let is_owner = package.name.as_str() == row.name;
            let found = uses(package, if is_owner { &SHIPPED } else { &ANY });
            for heavy in &row.fences {
                assert_eq!(
                    found.contains(heavy),
                    is_owner,
                    "`{heavy}` in `{}`; its place is `{}`",
                    package.name,
                    row.name
                );
            }
        }
    }
}

#[test]
fn every_crate_obeys_the_lints_of_the_workspace_and_only_kernels_may_be_unsafe() {
    for package in metadata().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true\n"),
            "`{}` has lints of its own",
            package.name
        );
    }
    // The lint denies unsafe code; what is left to guard is that nobody switches it off.
    let lint = concat!("unsafe", "_code");
    for (path, text) in workspace::sources() {
        assert!(
            !text.contains(lint) || path.starts_with("crates/kernels/"),
            "`{path}` mentions `{lint}`"
        );
    }
    assert!(workspace::read("Cargo.toml").contains(&format!("{lint} = \"deny\"")));
}

#[test]
fn a_crate_has_at_most_one_integration_binary() {
    for package in metadata().packages {
        let tests: Vec<&str> = package
            .targets
            .iter()
            .filter(|target| target.kind.contains(&TargetKind::Test))
            .map(|target| target.name.as_str())
            .collect();
        assert!(
            tests.is_empty() || tests == ["it"],
            "`{}` has {tests:?}, expected `tests/it/main.rs`",
            package.name
        );
    }
}
