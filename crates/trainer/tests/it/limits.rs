//! What ends a run, and what it says on its way.

use formats::history::TrainingPoint;
use model::Artifact;
use test_support::{OnDemand, Python, Workspace};

use crate::{report, trainer, workspace};

const ARTIFACT: &str = "models/mnist/mnist.safetensors";

#[track_caller]
fn trained(workspace: &Workspace, arguments: &[&str]) -> String {
    let outcome = trainer(workspace, arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    outcome.stderr
}

fn points(workspace: &Workspace) -> Vec<TrainingPoint> {
    let text = String::from_utf8(workspace.read("models/mnist/mnist.history.jsonl")).expect("JSON is text");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a whole line"));
    lines.collect()
}

#[test]
fn epochs_are_passes_over_the_training_images() {
    let workspace = workspace();
    trained(&workspace, &["--epochs", "2", "--batch-size", "32"]);
    // 300 images make 9 whole batches.
    assert_eq!(report(&workspace).training.steps, 18);
    let outcome = trainer(&workspace, &["--epochs", "2", "--steps", "5"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("cannot be used with"), "{}", outcome.stderr);
    let outcome = trainer(&workspace, &["--epochs", "4000000000", "--batch-size", "32"]);
    assert_eq!(outcome.code, 1);
    let words = "4000000000 epochs have too many steps, expected a whole number from 1 to 10000000 of them";
    assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
}

#[test]
fn a_run_out_of_time_ends_early_and_is_whole() {
    let workspace = workspace();
    let stderr = trained(&workspace, &["--steps", "10000000", "--time-limit", "1s"]);
    assert!(stderr.contains("steps until the time was up"), "{stderr}");
    let training = report(&workspace).training;
    assert!((1..10_000_000).contains(&training.steps), "{}", training.steps);
    let last = points(&workspace).pop().unwrap();
    assert_eq!(last.step, training.steps);
    assert!(last.clean.is_some() && last.elapsed_ms >= 1000, "{last:?}");
    assert!(!workspace.join("models/mnist/checkpoints").exists());
}

#[test]
fn held_out_images_are_watched_and_not_trained_on() {
    let workspace = workspace();
    let arguments = [
        "--steps",
        "200",
        "--batch-size",
        "32",
        "--held-out",
        "100",
        "--patience",
        "2",
    ];
    let stderr = trained(&workspace, &arguments);
    let artifact = Artifact::read(&workspace.read(ARTIFACT)).unwrap();
    let n_images: u64 = artifact.header().profile.class_counts.iter().sum();
    assert_eq!(n_images, 200);
    let points = points(&workspace);
    let looks: Vec<_> = points
        .iter()
        .filter_map(|point| Some((point.step, point.clean?)))
        .collect();
    assert!(looks.iter().all(|(_, clean)| clean.total == 100), "{looks:?}");
    // The weights of the first of the best looks are those in the artifact.
    let best = looks.iter().map(|(_, clean)| clean.correct).max().unwrap();
    let (step, _) = looks.iter().find(|(_, clean)| clean.correct == best).unwrap();
    assert_eq!(artifact.header().training.steps, *step, "{looks:?}\n{stderr}");
}

#[test]
fn what_cannot_be_held_out_is_refused() {
    let workspace = workspace();
    let outcome = trainer(&workspace, &["--patience", "2"]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("--held-out <N>"), "{}", outcome.stderr);
    let outcome = trainer(&workspace, &["--held-out", "300"]);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stderr.starts_with(
            "error: cannot hold images out of the training\n  because: 300 of 300 images cannot be set apart, expected 1 \
             to 299\n"
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_smoke_run_goes_through_everything_and_leaves_a_good_artifact_alone() {
    let workspace = workspace();
    let quick = ["--steps", "60", "--batch-size", "32"];
    trained(&workspace, &quick);
    let good = workspace.files("models");
    let artifact = workspace.read(ARTIFACT);
    trained(&workspace, &["--smoke", "--batch-size", "32"]);
    assert!(workspace.read(ARTIFACT) == artifact, "the good artifact has changed");
    let smoke: Vec<String> = workspace
        .files("models")
        .into_iter()
        .filter(|name| !good.contains(name))
        .collect();
    let expected: Vec<String> = good.iter().map(|name| name.replace("mnist.", "mnist.smoke.")).collect();
    assert_eq!(smoke, expected);
    let artifact = Artifact::read(&workspace.read("models/mnist/mnist.smoke.safetensors")).unwrap();
    assert_eq!(artifact.header().training.steps, 20);
}

#[test]
fn the_course_is_told_as_lines_and_as_a_table() {
    let workspace = workspace();
    trained(
        &workspace,
        &["--steps", "100", "--batch-size", "32", "--log-every", "10"],
    );
    let points = points(&workspace);
    assert_eq!(points.len(), 10);
    assert!(points[9].loss < points[0].loss, "{points:?}");
    let table = String::from_utf8(workspace.read("models/mnist/mnist.history.csv")).unwrap();
    let mut rows = table.lines();
    let columns = rows.next().unwrap().split(',').count();
    for (row, point) in rows.zip(&points) {
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells.len(), columns);
        assert_eq!(
            (cells[0], cells[2]),
            (&*point.step.to_string(), &*point.loss.to_string())
        );
    }
    let last = points[9].clean.unwrap();
    assert_eq!(
        last,
        report(&workspace).training.clean,
        "the last look is at the final weights"
    );
}

#[test]
fn the_real_tensorboard_reads_the_event_files_of_a_run() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let workspace = workspace();
    let run = ["--batch-size", "32", "--log-every", "10", "--tensorboard", "curves"];
    // An earlier run with more steps: its curve must not shine through.
    trained(&workspace, &[&run[..], &["--steps", "150"]].concat());
    trained(&workspace, &[&run[..], &["--steps", "100"]].concat());
    assert_eq!(workspace.files("curves").len(), 2);

    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tensorboard");
    let python = Python::with(&folder.join("requirements.txt"));
    let output = python.run(&workspace, &folder.join("read.py"), &["curves"]);
    let mut expected = Vec::new();
    for point in points(&workspace) {
        let accuracies = [("accuracy/clean", point.clean), ("accuracy/noisy", point.noisy)];
        let accuracies = accuracies.map(|(tag, accuracy)| (tag, accuracy.map(|accuracy| accuracy.fraction())));
        let numbers = [
            ("learning_rate", Some(point.learning_rate)),
            ("loss", Some(point.loss)),
            ("steps_per_second", Some(point.steps_per_second)),
        ];
        for (tag, value) in accuracies.into_iter().chain(numbers) {
            expected.extend(value.map(|value| format!("{tag} {} {:.6e}", point.step, value as f32)));
        }
    }
    expected.sort();
    let mut found: Vec<String> = output.lines().map(rust_exponent).collect();
    found.sort();
    assert_eq!(found, expected);
}

/// Python writes `1.0e-02` where Rust writes `1.0e-2`.
fn rust_exponent(line: &str) -> String {
    let (number, exponent) = line.rsplit_once('e').expect("a number with an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a number");
    format!("{number}e{exponent}")
}
