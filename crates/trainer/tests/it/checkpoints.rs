//! Runs that are stopped or killed, and go on.

use std::{fs, path::Path};

use formats::history::TrainingPoint;
use test_support::{Outcome, Running, Workspace, patience};

use crate::{RUN_MAX, start, trainer, workspace};

const ARTIFACT: &str = "models/mnist/mnist.safetensors";
const HISTORY: &str = "models/mnist/mnist.history.jsonl";
const CHECKPOINTS: &str = "models/mnist/checkpoints";
const GOES_ON: &str = "going on from a checkpoint";

/// A run that writes a checkpoint every 100 steps and a point of its course every 20.
fn arguments<'a>(device: &'a str, steps: &'a str) -> Vec<&'a str> {
    let intervals = ["--checkpoint-every", "100", "--log-every", "20"];
    let run = ["--device", device, "--steps", steps, "--batch-size", "32"];
    [&run[..], &intervals].concat()
}

#[track_caller]
fn trained(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let outcome = trainer(workspace, arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    outcome
}

/// The course as it is in the file now: every line that is there is whole.
fn points(workspace: &Workspace) -> Vec<TrainingPoint> {
    let text = fs::read_to_string(workspace.join(HISTORY)).unwrap_or_default();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a whole line"));
    lines.collect()
}

/// Starts a run and waits until it has told of `step`; false if it ended before.
fn start_until(workspace: &Workspace, arguments: &[&str], step: u32) -> (Running, bool) {
    let mut running = start(workspace, arguments, &[]);
    let is_there = patience("a step in the history", RUN_MAX, || {
        let is_there = points(workspace).last().is_some_and(|point| point.step >= step);
        (is_there || running.ended().is_some()).then_some(is_there)
    });
    (running, is_there && !workspace.join(ARTIFACT).exists())
}

/// Starts a run, interrupts it as soon as it has told of `step`, and returns what it said.
fn interrupted(workspace: &Workspace, arguments: &[&str], step: u32) -> String {
    let (running, is_there) = start_until(workspace, arguments, step);
    assert!(is_there, "the run ended too early: {}", running.stderr());
    running.terminate();
    let outcome = running.wait(RUN_MAX);
    assert_eq!(outcome.code, 130, "{}", outcome.stderr);
    outcome.stderr
}

/// Kills a run at these steps and lets it end; artifact and course must be those of a run that nobody disturbed.
fn check_kills(device: &str, steps: &str, moments: &[u32]) {
    let (whole, killed) = (workspace(), workspace());
    let arguments = arguments(device, steps);
    trained(&whole, &arguments);
    let mut n_hits = 0;
    for &moment in moments {
        let (mut running, is_hit) = start_until(&killed, &arguments, moment);
        running.kill();
        n_hits += usize::from(is_hit);
    }
    assert!(
        n_hits > moments.len() / 2,
        "only {n_hits} of {moments:?} hit a training"
    );
    let last = trained(&killed, &arguments);
    assert!(last.stderr.contains(GOES_ON), "{}", last.stderr);

    assert!(killed.read(ARTIFACT) == whole.read(ARTIFACT), "{device}: other weights");
    // Times differ, and what was learnt does not; no step is told twice or left out.
    let course = |workspace| {
        let points: Vec<TrainingPoint> = points(workspace);
        let told = points
            .into_iter()
            .map(|point| (point.step, point.epoch, point.loss, point.clean, point.noisy));
        told.collect::<Vec<_>>()
    };
    assert_eq!(course(&killed), course(&whole));
    assert_eq!(killed.files("models"), whole.files("models"));
    assert!(
        !killed.join(CHECKPOINTS).exists(),
        "a finished run needs no checkpoints"
    );
}

#[test]
fn the_native_engine_ends_with_the_same_weights_however_often_it_was_killed() {
    check_kills("native", "3000", &[20, 100, 340, 900, 1700, 2500]);
}

#[test]
fn burn_ends_with_the_same_weights_however_often_it_was_killed() {
    check_kills("ndarray", "500", &[20, 140, 300]);
}

#[test]
fn a_run_that_was_asked_to_end_says_how_to_go_on_and_goes_on_from_that_very_step() {
    let (whole, stopped) = (workspace(), workspace());
    let arguments = arguments("native", "3000");
    trained(&whole, &arguments);
    let stderr = interrupted(&stopped, &arguments, 40);
    let step: u32 = stderr
        .split("stopped before its end, after ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("{stderr}"));
    for words in [
        "of 3000 steps; the same command goes on from there",
        "`--fresh` begins anew",
    ] {
        assert!(stderr.contains(words), "{stderr}");
    }
    let outcome = trained(&stopped, &[&arguments[..], &["--resume"]].concat());
    let line = outcome.stderr.lines().find(|line| line.contains(GOES_ON)).unwrap();
    assert!(line.contains(&format!("step={step} ")), "{line}");
    assert!(stopped.read(ARTIFACT) == whole.read(ARTIFACT));
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_is_taken() {
    let (whole, stopped) = (workspace(), workspace());
    let arguments = arguments("native", "3000");
    trained(&whole, &arguments);
    interrupted(&stopped, &arguments, 240);
    let names = stopped.files(CHECKPOINTS);
    assert_eq!(names.len(), 2, "{names:?}");
    let bytes = stopped.read(&names[1]);
    stopped.write(&names[1], &bytes[..bytes.len() - 1]);
    let outcome = trained(&stopped, &arguments);
    let named = format!("cannot go on from `{}`: it is not a whole safetensors file", names[1]);
    for words in [named.as_str(), "taking the one before", GOES_ON] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    assert!(stopped.read(ARTIFACT) == whole.read(ARTIFACT));
}

#[test]
fn a_fresh_run_begins_anew_and_other_settings_are_left_alone() {
    let workspace = workspace();
    let first = arguments("native", "3000");
    interrupted(&workspace, &first, 140);
    let checkpoints = workspace.files(CHECKPOINTS);

    let other = [&first[..], &["--seed", "2"]].concat();
    let outcome = trained(&workspace, &other);
    assert!(!outcome.stderr.contains(GOES_ON), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("checkpoints of other settings are left alone"),
        "{}",
        outcome.stderr
    );
    assert_eq!(workspace.files(CHECKPOINTS), checkpoints);

    let outcome = trained(&workspace, &[&first[..], &["--fresh"]].concat());
    assert!(!outcome.stderr.contains(GOES_ON), "{}", outcome.stderr);
    assert!(!workspace.join(CHECKPOINTS).exists());
}

#[test]
fn a_second_training_in_the_same_folder_is_refused() {
    let workspace = workspace();
    let (_running, _) = start_until(&workspace, &["--steps", "1000000", "--log-every", "20"], 20);
    let outcome = trainer(&workspace, &["--steps", "20"]);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stderr.ends_with(
            "error: another training is at work in the models folder `models/mnist`\n\nhint: `--models-dir DIR` names \
             another folder\n"
        ),
        "{}",
        outcome.stderr
    );
}

/// The limit on the size of a file stands for a full disk, 2 MB: an artifact with all its documents fits, a checkpoint
/// does not.
#[test]
fn a_disk_without_room_for_a_checkpoint_is_told_and_stops_nobody() {
    let (whole, full) = (workspace(), workspace());
    let arguments = arguments("native", "300");
    trained(&whole, &arguments);
    let limited = "trap '' XFSZ; ulimit -f 4000; exec \"$@\"";
    let trainer = env!("CARGO_BIN_EXE_trainer");
    let shell = ["-c", limited, "sh", trainer, "--no-download"];
    let outcome = full.run(Path::new("sh"), &[&shell[..], &arguments].concat());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("cannot write the checkpoint of step 100, going on without: File too large"),
        "{}",
        outcome.stderr
    );
    assert!(full.read(ARTIFACT) == whole.read(ARTIFACT));
    assert_eq!(full.files("models"), whole.files("models"));
}

#[test]
fn a_checkpoints_folder_that_cannot_be_written_is_found_before_training() {
    let workspace = workspace();
    workspace.write(CHECKPOINTS, b"a file");
    let outcome = trainer(&workspace, &["--steps", "20"]);
    assert_eq!(outcome.code, 1);
    let words = "error: cannot write to the checkpoints folder `models/mnist/checkpoints`";
    assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
}

#[test]
fn what_a_killed_run_had_half_written_is_swept_away() {
    let workspace = workspace();
    for name in [
        "models/mnist/.mnist.safetensors.a1.part",
        "models/mnist/checkpoints/.x.b2.part",
    ] {
        workspace.write(name, b"half");
    }
    trained(&workspace, &["--steps", "20"]);
    assert!(workspace.files("models").iter().all(|name| !name.ends_with(".part")));
}
