//! The defects of the original that show only across programs, each with a test that is named after it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::project::{Project, shipped, steps};

/// The original divided two texts, so its accuracy was always 0.0, and it ended with 0 whatever the accuracy.
#[test]
fn accuracy_check_that_cannot_fail() {
    let project = Project::new();
    project.set("steps: 150", "steps: 1");
    let outcome = project.pipeline(&["up", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(outcome.code, 1, "one step of training cannot reach 80 %");
    assert_eq!(document["failure"], "step test ended with exit code 1");
    project.set("steps: 1", "steps: 150");
    project.well(&["up"]);
}

/// The original sent noisy images and threw the answers away.
#[test]
fn noisy_images_sent_but_never_scored() {
    let project = Project::new();
    project.set("noisy_accuracy_min: null", "noisy_accuracy_min: 1.0");
    project.set("steps: 150", "steps: 5");
    project.set("\n  accuracy_min: 0.8", "\n  accuracy_min: 0.0");
    let outcome = project.pipeline(&["up", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let noisy = &document["delivery"]["test"]["noisy"];
    assert_eq!(
        (&noisy["requests"], &noisy["accuracy"]["total"]),
        (&50.into(), &50.into())
    );
    assert_eq!(outcome.code, 1, "{noisy}");
}

/// The original uploaded `mnist`, deployed `mnist-concept`, and asked `mnist-app`.
#[test]
fn three_different_names_for_one_model_or_application() {
    let project = Project::new();
    project.change("application.yaml", "model: mnist", "model: mnist-concept");
    let outcome = project.pipeline(&["up"]);
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.contains("one model has one name"), "{}", outcome.stderr);
    project.change("application.yaml", "model: mnist-concept", "model: mnist");
    // The name of the application stands in one place; what is tested follows it.
    project.change("application.yaml", "name: mnist-app", "name: digits");
    let document: Value = serde_json::from_str(&project.well(&["up", "--json"])).unwrap();
    assert_eq!(document["delivery"]["test"]["application"], "digits");
}

/// The original's manifest said `mnist-concept:1`, so a new version was never deployed.
#[test]
fn version_pinned_by_hand() {
    assert!(shipped("application.yaml").contains("\n  model: mnist\n"));
    let project = Project::new();
    project.well(&["up"]);
    for version in ["mnist:2", "mnist:3"] {
        let (old, new) = if version == "mnist:2" {
            ("seed: 1", "seed: 2")
        } else {
            ("seed: 2", "seed: 3")
        };
        project.set(old, new);
        project.well(&["up"]);
        assert_eq!(project.deployed(), version);
    }
}

/// The original took the folder that `ls -t` shows first for the model that was just trained.
#[test]
fn newest_folder_as_the_model() {
    let project = Project::new();
    project.well(&["up"]);
    project
        .workspace
        .write("models/mnist/newer/mnist.safetensors", b"not a model");
    project.workspace.write("models/zzz/mnist.safetensors", b"not a model");
    assert_eq!(steps(&project.well(&["up", "--json"])), [""; 0]);
    project.set("seed: 1", "seed: 2");
    project.well(&["up"]);
    let report: Value = serde_json::from_slice(&project.workspace.read("models/mnist/mnist.report.json")).unwrap();
    assert_eq!(
        project.get("/api/models/mnist/versions/2")["digest"],
        report["artifact"]
    );
}

/// The original slept between requests: 150 images took at least 90 s.
#[test]
fn a_sleep_of_0_6_s_per_request() {
    let project = Project::new();
    project.well(&["up"]);
    let started = Instant::now();
    project.well(&["test", "--server", &project.url(""), "--images", "100"]);
    assert!(started.elapsed() < Duration::from_secs(45), "{:?}", started.elapsed());
}

/// The original's client line stopped with a type error.
#[test]
fn a_client_line_that_cannot_run() {
    let project = Project::new();
    let summary = project.well(&["up"]);
    let line = summary
        .lines()
        .find_map(|line| line.strip_prefix("try it"))
        .unwrap()
        .trim();
    let digit = summary
        .lines()
        .find_map(|line| line.split("the image of a ").nth(1))
        .unwrap()
        .trim_end_matches(')');
    let answer = project.paste(line);
    assert_eq!(answer["class_ids"][0][0].to_string(), digit);
}

/// The original's pipeline had parameters that no step took, and steps with defaults of their own.
#[test]
fn undeclared_or_inconsistent_parameters() {
    let project = Project::new();
    project.set("device: native", "device: native\n  learning_steps: 5");
    let outcome = project.pipeline(&["plan"]);
    assert!(
        outcome.stderr.contains("unknown key `training.learning_steps`"),
        "{}",
        outcome.stderr
    );
    project.set("\n  learning_steps: 5", "");
    // What the settings say is what the model was trained with.
    project.set("batch_size: null", "batch_size: 77");
    project.set("learning_rate: null", "learning_rate: 0.004");
    project.set("seed: 1", "seed: 9");
    project.well(&["up"]);
    let training = &project.get("/api/models/mnist/versions/1")["header"]["training"];
    assert_eq!((&training["steps"], &training["batch_size"]), (&150.into(), &77.into()));
    assert_eq!(
        (&training["learning_rate"], &training["seed"]),
        (&0.004.into(), &9.into())
    );
}
