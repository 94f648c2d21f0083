//! The program, run as a person runs it.

use std::path::Path;
use std::time::Duration;

use expect_test::{Expect, expect};
use test_support::{
    Digits, Fault, FileServer, Outcome, Packing, Running, Workspace, free_port, patience, write_idx_files,
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_mnist-data");
const LIMIT: Duration = Duration::from_secs(60);

fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    workspace.run(Path::new(PROGRAM), arguments)
}

fn check_stderr(outcome: &Outcome, workspace: &Workspace, expected: Expect) {
    expected.assert_eq(&outcome.stderr.replace(&workspace.path().display().to_string(), "."));
}

fn workspace_with_source(packing: Packing) -> Workspace {
    let workspace = Workspace::new();
    write_idx_files(&workspace.join("source"), 20, 10, packing);
    workspace
}

/// A download whose first file stalls after 1,000 bytes, as soon as these have arrived.
fn stalled_download(workspace: &Workspace, server: &FileServer) -> Running {
    server.fault("train-images-idx3-ubyte.gz", &Fault::StallAfter(1_000), 1);
    let mut command = workspace.command(Path::new(PROGRAM));
    let running = Running::start(command.args(["download", "--allow-unknown-digest", "--source", &server.url()]));
    patience("the first bytes", LIMIT, || {
        let files = workspace.files("data/mnist/.staging");
        files
            .first()
            .filter(|file| workspace.read(file).len() == 1_000)
            .cloned()
    });
    running
}

#[test]
fn a_download_from_a_folder_tells_what_it_did() {
    let workspace = workspace_with_source(Packing::Gzip);
    let arguments = ["download", "--source", "source", "--allow-unknown-digest"];
    let outcome = run(&workspace, &arguments);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""));
    check_stderr(
        &outcome,
        &workspace,
        expect![[r#"
            4 of 4 files from folder `source`
            `train-images-idx3-ubyte` verified, from source/train-images-idx3-ubyte.gz
            `train-labels-idx1-ubyte` verified, from source/train-labels-idx1-ubyte.gz
            `t10k-images-idx3-ubyte` verified, from source/t10k-images-idx3-ubyte.gz
            `t10k-labels-idx1-ubyte` verified, from source/t10k-labels-idx1-ubyte.gz
            `data/mnist` holds all four files, 4 of them new
        "#]],
    );
    let again = run(&workspace, &arguments);
    assert_eq!(again.code, 0);
    check_stderr(
        &again,
        &workspace,
        expect![[r#"
        `data/mnist` already holds all four files
    "#]],
    );
}

#[test]
fn another_data_set_is_refused_with_a_hint() {
    let workspace = workspace_with_source(Packing::Unpacked);
    let outcome = run(&workspace, &["download", "--source", "source"]);
    assert_eq!(outcome.code, 1);
    check_stderr(
        &outcome,
        &workspace,
        expect![[r#"
            4 of 4 files from folder `source`
            error: cannot download into `data/mnist`
              because: no source gave `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`
                folder `source`: `source/train-images-idx3-ubyte` is not the file `train-images-idx3-ubyte`: expected 47040016 bytes with SHA-256 ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db, found 15696 bytes with SHA-256 1a632db5b9550df3d2b94a397a2cb2669a32de91e1ac9e947cb358ac38c08cab

            hint: `--allow-unknown-digest` accepts another data set in IDX format
        "#]],
    );
}

#[test]
fn without_a_connection_the_exit_code_says_that_another_attempt_may_help() {
    let workspace = Workspace::new();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/");
    let outcome = run(&workspace, &["download", "--source", &url, "--attempts", "1"]);
    assert_eq!(outcome.code, 75);
    expect![[r#"
        4 of 4 files from http://127.0.0.1:PORT/
        error: the files cannot be had right now
          because: no source gave `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`
            http://127.0.0.1:PORT/: cannot fetch `http://127.0.0.1:PORT/train-images-idx3-ubyte.gz`: no connection: io: Connection refused (os error 111)

        hint: `--source DIR|URL` takes the four files, packed or not, from a place that you can reach
    "#]].assert_eq(&outcome.stderr.replace(&port.to_string(), "PORT"));
}

#[test]
fn wrong_values_on_the_command_line_are_refused() {
    let workspace = Workspace::new();
    for arguments in [
        &["download", "--stall-timeout", "0"][..],
        &["download", "--attempts", "0"],
        &["export"],
        &[],
    ] {
        assert_eq!(run(&workspace, arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn verify_lists_every_file_and_ends_with_1_if_one_is_not_good() {
    let workspace = workspace_with_source(Packing::Unpacked);
    let arguments = ["verify", "--data-dir", "source", "--allow-unknown-digest"];
    let good = run(&workspace, &arguments);
    assert_eq!(good.code, 0);
    expect![[r#"
        good     source/train-images-idx3-ubyte
        good     source/train-labels-idx1-ubyte
        good     source/t10k-images-idx3-ubyte
        good     source/t10k-labels-idx1-ubyte
    "#]]
    .assert_eq(&good.stdout);
    workspace.write(
        "source/t10k-images-idx3-ubyte",
        &Digits::draw(10, 2).images_idx()[..100],
    );
    std::fs::remove_file(workspace.join("source/t10k-labels-idx1-ubyte")).unwrap();
    let bad = run(&workspace, &arguments);
    assert_eq!(bad.code, 1);
    expect![[r#"
        good     source/train-images-idx3-ubyte
        good     source/train-labels-idx1-ubyte
        wrong    source/t10k-images-idx3-ubyte: it is no IDX file: at byte 100: expected 7840 bytes of elements from byte 16, found the end after 84 of them
        missing  source/t10k-labels-idx1-ubyte
    "#]]
    .assert_eq(&bad.stdout);
}

#[test]
fn an_export_prints_the_files_that_it_wrote() {
    let workspace = workspace_with_source(Packing::Unpacked);
    let outcome = run(
        &workspace,
        &["export", "--npz", "--data-dir", "source", "--output", "python"],
    );
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (0, "python/train.npz\npython/t10k.npz\n")
    );
    let outcome = run(&workspace, &["export", "--npz"]);
    assert_eq!(outcome.code, 1);
    check_stderr(
        &outcome,
        &workspace,
        expect![[r#"
        error: cannot export
          because: cannot load the images to export
          because: cannot open `data/mnist/train-images-idx3-ubyte`
          because: No such file or directory (os error 2)

        hint: `mnist-data download` fetches the files
    "#]],
    );
}

#[test]
fn ctrl_c_ends_a_download_with_130_and_nothing_half_done() {
    let workspace = workspace_with_source(Packing::Gzip);
    let server = FileServer::start(&workspace.join("source"));
    let running = stalled_download(&workspace, &server);
    running.interrupt();
    let outcome = running.wait(LIMIT);
    assert_eq!(outcome.code, 130);
    assert!(
        outcome.stderr.ends_with("stopped before all files were there\n"),
        "{}",
        outcome.stderr
    );
    assert!(
        workspace
            .files("data/mnist")
            .iter()
            .all(|file| file.contains("/.staging/"))
    );
}

/// Defect of the original: it unpacked beside the archive and deleted that, so that a crash in between left a folder that
/// neither worked nor repaired itself.
#[test]
fn the_original_deleted_the_archive_so_that_a_crash_left_half_a_state() {
    let workspace = workspace_with_source(Packing::Gzip);
    let server = FileServer::start(&workspace.join("source"));
    let mut running = stalled_download(&workspace, &server);
    running.kill();
    assert!(
        workspace
            .files("data/mnist")
            .iter()
            .all(|file| file.contains("/.staging/"))
    );
    let outcome = run(
        &workspace,
        &["download", "--allow-unknown-digest", "--source", &server.url()],
    );
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(workspace.files("data/mnist").len(), 4);
    assert_eq!(
        workspace.read("data/mnist/train-images-idx3-ubyte"),
        Digits::draw(20, 1).images_idx()
    );
    // The second run went on where the first one was killed.
    assert_eq!(
        server.requests_for("train-images-idx3-ubyte.gz")[1].range_start,
        Some(1_000)
    );
}
