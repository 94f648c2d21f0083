//! `trainer export`: what it writes, what it leaves alone, and what the programs of others make of it.

mod peers;

use std::path::Path;

use expect_test::{Expect, expect};
use formats::digest::Digest;
use test_support::{Outcome, Workspace};

use crate::{RUN_MAX, trainer, workspace};

const ARTIFACT: &str = "models/mnist/mnist.safetensors";

/// A workspace in which a training has left an artifact.
fn trained(workspace: Workspace) -> Workspace {
    let outcome = trainer(&workspace, &["--steps", "60", "--batch-size", "32"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    workspace
}

/// Runs `trainer export` in the workspace.
fn export(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let mut command = workspace.command(Path::new(env!("CARGO_BIN_EXE_trainer")));
    test_support::Running::start(command.arg("export").args(arguments)).wait(RUN_MAX)
}

/// Exports the artifact, which must work.
#[track_caller]
fn exported(workspace: &Workspace, format: &str, output: &str) -> String {
    let outcome = export(workspace, &[ARTIFACT, "--format", format, "--output", output]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    outcome.stderr
}

/// The words without numbers of bytes, which change with whatever a training says of itself.
fn without_sizes(words: &str) -> String {
    let mut parts = words.split(" bytes");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |before, after| {
        let before = before.trim_end_matches(|c: char| c.is_ascii_digit());
        format!("{before}N bytes{after}")
    })
}

/// An export that is refused, with the reason.
#[track_caller]
fn check(workspace: &Workspace, arguments: &[&str], expected: Expect) {
    let before = workspace.files("");
    let outcome = export(workspace, arguments);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    expected.assert_eq(&without_sizes(&outcome.stderr));
    assert_eq!(workspace.files(""), before, "a refused export has changed something");
}

#[test]
fn an_export_says_what_was_written_and_how_it_is_used() {
    let workspace = trained(workspace());
    let digest = Digest::of(&workspace.read(ARTIFACT)).short();
    let words =
        |format: &str, output: &str| without_sizes(&exported(&workspace, format, output)).replace(&digest, "DIGEST");
    expect![[r#"
        exported `models/mnist/mnist.safetensors` (DIGEST)
          to              out/mnist.onnx (N bytes, ONNX)
          in Python       onnxruntime.InferenceSession("out/mnist.onnx").run(None, {"imgs": imgs})
          imgs            float32 [N, 28, 28], 0 for paper and 1 for ink
    "#]]
    .assert_eq(&words("onnx", "out/mnist.onnx"));
    expect![[r#"
        exported `models/mnist/mnist.safetensors` (DIGEST)
          to              out/mnist (N bytes, TensorFlow SavedModel)
          in Python       tensorflow.saved_model.load("out/mnist").signatures["predict"](imgs=imgs)
          imgs            float32 [N, 28, 28], 0 for paper and 1 for ink
    "#]]
    .assert_eq(&words("savedmodel", "out/mnist"));
    expect![[r#"
        exported `models/mnist/mnist.safetensors` (DIGEST)
          to              out/mnist.safetensors (N bytes, weights of PyTorch's linear layers)
          in Python       safetensors.torch.load_file("out/mnist.safetensors")
    "#]]
    .assert_eq(&words("safetensors", "out/mnist.safetensors"));
    expect![[r#"
        out/mnist.onnx
        out/mnist.safetensors
        out/mnist/assets.extra/slipway.json
        out/mnist/saved_model.pb
        out/mnist/variables/variables.data-00000-of-00001
        out/mnist/variables/variables.index"#]]
    .assert_eq(&workspace.files("out").join("\n"));
}

#[test]
fn what_is_there_is_replaced_only_by_force() {
    let workspace = trained(workspace());
    workspace.write("mnist.onnx", b"mine");
    let arguments = [ARTIFACT, "--format", "onnx", "--output", "mnist.onnx"];
    check(
        &workspace,
        &arguments,
        expect![[r#"
        error: `mnist.onnx` exists already; `--force` replaces it
    "#]],
    );
    assert_eq!(workspace.read("mnist.onnx"), b"mine");
    let outcome = export(&workspace, &[&arguments[..], &["--force"]].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(workspace.read("mnist.onnx").len() > 100_000);

    exported(&workspace, "savedmodel", "saved");
    workspace.write("saved/variables/left-over", b"");
    let arguments = [ARTIFACT, "--format", "savedmodel", "--output", "saved"];
    check(
        &workspace,
        &arguments,
        expect![[r#"
        error: `saved` exists already; `--force` replaces it
    "#]],
    );
    let outcome = export(&workspace, &[&arguments[..], &["--force"]].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(workspace.files("saved").len(), 4, "{:?}", workspace.files("saved"));
}

#[test]
fn force_replaces_nothing_but_an_export() {
    let workspace = trained(workspace());
    let refused = |format: &str, output: &str, expected: Expect| {
        let arguments = [ARTIFACT, "--format", format, "--output", output, "--force"];
        check(&workspace, &arguments, expected);
    };
    refused(
        "savedmodel",
        "models",
        expect![[r#"
        error: `models` is not replaced: it holds `mnist`, which is no part of a SavedModel
    "#]],
    );
    refused(
        "savedmodel",
        ".",
        expect![[r#"
        error: `.` is no name for an export
    "#]],
    );
    refused(
        "savedmodel",
        "models/mnist/mnist.report.json",
        expect![[r#"
        error: expected a folder to replace, found the file `models/mnist/mnist.report.json`
    "#]],
    );
    refused(
        "onnx",
        "models",
        expect![[r#"
        error: expected a file to replace, found the folder `models`
    "#]],
    );
    refused(
        "safetensors",
        "models/../models/mnist/mnist.safetensors",
        expect![[r#"
            error: `models/../models/mnist/mnist.safetensors` is the artifact itself, which an export does not replace
        "#]],
    );
}

#[test]
fn what_is_no_artifact_is_refused() {
    let workspace = trained(workspace());
    let to = ["--format", "onnx", "--output", "mnist.onnx"];
    check(
        &workspace,
        &[&["no-such-file"], &to[..]].concat(),
        expect![[r#"
        error: cannot read the artifact `no-such-file`
          because: No such file or directory (os error 2)
    "#]],
    );
    exported(&workspace, "safetensors", "plain.safetensors");
    check(
        &workspace,
        &[&["plain.safetensors"], &to[..]].concat(),
        expect![[r#"
            error: `plain.safetensors` is no artifact
              because: it has no `slipway` entry in its metadata, so `trainer` did not write it
        "#]],
    );
    let whole = workspace.read(ARTIFACT);
    workspace.write("half.safetensors", &whole[..whole.len() / 2]);
    check(
        &workspace,
        &[&["half.safetensors"], &to[..]].concat(),
        expect![[r#"
        error: `half.safetensors` is no artifact
          because: the file has N bytes, not as many as it announces: it is truncated, or something was appended
    "#]],
    );
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let workspace = trained(workspace());
    workspace.write("file", b"");
    for format in ["onnx", "savedmodel"] {
        let outcome = export(&workspace, &[ARTIFACT, "--format", format, "--output", "file/export"]);
        assert_eq!(outcome.code, 1);
        assert!(
            outcome
                .stderr
                .starts_with("error: cannot write the export `file/export`"),
            "{}",
            outcome.stderr
        );
    }
}
