//! `trainer evaluate`: what it prints, and what it refuses.

use std::path::Path;

use expect_test::{Expect, expect};
use formats::{digest::Digest, evaluation::EvaluationReport};
use test_support::{Outcome, Packing, Workspace, write_idx_files};

use crate::{report, trainer, workspace};

const ARTIFACT: &str = "models/mnist/mnist.safetensors";

/// A folder with digits and an artifact that was trained on them.
fn trained() -> Workspace {
    let workspace = workspace();
    let outcome = trainer(&workspace, &["--steps", "60", "--batch-size", "32"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    workspace
}

fn evaluate(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let arguments = [&["evaluate"], arguments].concat();
    workspace.run(Path::new(env!("CARGO_BIN_EXE_trainer")), &arguments)
}

#[test]
fn an_artifact_reaches_what_its_training_said() {
    let workspace = trained();
    let outcome = evaluate(&workspace, &[ARTIFACT, "--json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let evaluated: EvaluationReport = serde_json::from_str(&outcome.stdout).unwrap();
    let training = report(&workspace).training;
    assert_eq!(evaluated.artifact, Digest::of(&workspace.read(ARTIFACT)));
    assert_eq!(evaluated.evaluation.clean.accuracy, training.clean);
    assert_eq!(evaluated.evaluation.noisy.accuracy, training.noisy);

    let clean = &evaluated.evaluation.clean;
    let diagonal: u64 = (0..10).map(|class| clean.confusion[class][class]).sum();
    assert_eq!(diagonal, clean.accuracy.correct);
    assert_eq!(clean.confusion.iter().flatten().sum::<u64>(), 100);
    assert_eq!(evaluated.evaluation.worst_errors.len() as u64, 100 - diagonal);
    let again = evaluate(&workspace, &[ARTIFACT, "--json"]);
    assert_eq!(
        again.stdout, outcome.stdout,
        "the same file and the same images give the same numbers"
    );
}

#[test]
fn the_table_has_accuracies_classes_confusion_and_noise() {
    let workspace = trained();
    let outcome = evaluate(&workspace, &[ARTIFACT, "--data-dir", "data/mnist"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let training = report(&workspace).training;
    let clean = format!(
        "clean accuracy     {:.2} % ({} of 100)",
        training.clean.fraction() * 100.0,
        training.clean.correct
    );
    for words in [
        clean.as_str(),
        "calibration error",
        "precision",
        "by answer (column)",
        "\n0.00  ",
        "\n1.50  ",
    ] {
        assert!(outcome.stdout.contains(words), "no `{words}` in\n{}", outcome.stdout);
    }
    assert_eq!(
        outcome.stdout.lines().filter(|line| line.starts_with("7 ")).count(),
        2,
        "{}",
        outcome.stdout
    );
}

#[track_caller]
fn check_refused(workspace: &Workspace, arguments: &[&str], expected: Expect) {
    let outcome = evaluate(workspace, arguments);
    assert_eq!(outcome.stdout, "");
    expected.assert_eq(&format!("{}\n{}", outcome.code, outcome.stderr));
}

#[test]
fn files_that_are_no_artifacts_are_refused() {
    let workspace = workspace();
    check_refused(
        &workspace,
        &["nowhere.safetensors"],
        expect![[r#"
        1
        error: cannot read the artifact `nowhere.safetensors`
          because: No such file or directory (os error 2)
    "#]],
    );
    workspace.write("text.safetensors", b"not an artifact");
    check_refused(
        &workspace,
        &["text.safetensors"],
        expect![[r#"
        1
        error: `text.safetensors` is no artifact
          because: it announces a header of 6998715184369135470 bytes, expected at most 1048576
    "#]],
    );
}

#[test]
fn missing_images_are_named() {
    let workspace = trained();
    check_refused(
        &workspace,
        &[ARTIFACT, "--data-dir", "nowhere"],
        expect![[r#"
        1
        error: cannot load the images
          because: cannot open `nowhere/t10k-images-idx3-ubyte`
          because: No such file or directory (os error 2)

        hint: `mnist-data download` fetches the files, and so does `trainer` without `--no-download`
    "#]],
    );
}

#[test]
fn images_of_another_size_are_refused() {
    let workspace = trained();
    write_idx_files(&workspace.join("data/other"), 10, 10, Packing::Unpacked);
    let header = [0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 5, 0, 0, 0, 3];
    workspace.write("data/other/t10k-images-idx3-ubyte", &[&header[..], &[7; 150]].concat());
    check_refused(
        &workspace,
        &[ARTIFACT, "--data-dir", "data/other"],
        expect![[r#"
        1
        error: the test images in `data/other` have 5 × 3 pixels, expected 28 × 28 as `models/mnist/mnist.safetensors` takes them
    "#]],
    );
}
