//! The whole job on real MNIST, in the cluster.

use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::{OnDemand, program};

use super::{
    place::{Place, image},
    retraining::{SCHEDULE, finish_retraining, logs, start_retraining},
};

/// Longest time that a delivery takes beyond its training, the image being there.
const BESIDE_MAX: Duration = Duration::from_secs(90);

#[test]
fn real_mnist_is_delivered_into_an_empty_cluster_and_a_nightly_retraining_finds_nothing_new() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    let project = &place.project;
    // The cluster reaches nobody outside, so the files come from here.
    let mut download = project.workspace.command(&program("mnist-data"));
    download.args(["download", "--data-dir", "mnist"]);
    let source = crate::real::source();
    if source != "null" {
        download.args(["--source", &source]);
    }
    let output = download.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    project.make_real("mnist");

    let started = Instant::now();
    let outcome = place.well(&["up", "--json", "--image", &image(0)]);
    let took = started.elapsed();
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let steps = summary["steps"].as_array().unwrap();
    let training = steps.iter().find(|step| step["step"] == "train").unwrap()["seconds"]
        .as_f64()
        .unwrap();
    let beside = took.saturating_sub(Duration::from_secs_f64(training));
    assert!(beside < BESIDE_MAX, "{beside:?} beside a training of {training} s");
    let test = &summary["delivery"]["test"];
    assert_eq!(
        (&test["clean"]["accuracy"]["total"], &test["passed"]),
        (&10_000.into(), &true.into()),
        "{test}"
    );

    project.set("source: mnist", "source: null");
    project.set("retraining_schedule: null", SCHEDULE);
    place.up(0);
    let job = start_retraining(&place, "nightly");
    finish_retraining(&place, &job);
    let told = logs(&place, &job);
    for part in [
        "download runs: it is asked to look again",
        "train    skipped: nothing has changed",
        "test     skipped",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
