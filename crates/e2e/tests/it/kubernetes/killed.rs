//! `pipeline up` killed in each of its steps, and gone on with.

use std::time::Duration;

use expect_test::expect;
use serde_json::Value;
use test_support::{OnDemand, patience};

use super::{
    delivery::ALL,
    place::{Place, image},
    told::told,
};

#[test]
fn a_pipeline_that_is_killed_in_each_step_is_gone_on_with() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let (place, image) = (Place::new(), image(0));
    for step in ALL {
        let mut up = place.start(&["up", "--json", "--image", &image]);
        patience(step, Duration::from_secs(120), || {
            begins(&place, step, &up.stderr()).then_some(())
        });
        up.kill();
    }
    let outcome = place.well(&["up", "--json", "--image", &image]);
    expect![[r#"
        download skipped: nothing has changed since MOMENT
        train    skipped: nothing has changed since MOMENT
        serve    skipped: Deployment `slipway-server` runs with the same settings since MOMENT
        upload   skipped: nothing has changed since MOMENT
        deploy   skipped: nothing has changed since MOMENT
        test     runs: it has not finished before
        test     | an earlier delivery has started Job `slipway-test-RUN-KEY-ATTEMPT`
        test     | took SIZE of memory at most, of 256Mi
        test     done in SPAN
    "#]]
    .assert_eq(&told(&place, &outcome.stderr));
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(summary["delivery"]["model"], "mnist:1", "{summary}");
    assert_eq!(summary["delivery"]["revision"], 1, "{summary}");
    let trainings = place.kubectl(&["get", "jobs", "--selector=slipway/step=train", "--output=name"]);
    assert_eq!(trainings.lines().count(), 1, "{trainings}");
    assert_eq!(place.pipeline(&["plan", "--image", &image]).code, 0);
}

/// Whether the pipeline is about a step, and the cluster has begun with it.
fn begins(place: &Place, step: &str, told: &str) -> bool {
    let is_told = told
        .lines()
        .any(|line| line.starts_with(step) && line.contains(" runs: "));
    let object = match step {
        "serve" => vec!["deployment", "--selector=app.kubernetes.io/component=server"],
        _ => vec!["jobs"],
    };
    let selector = format!("--selector=slipway/step={step}");
    let selector = (step != "serve").then_some(selector.as_str());
    let arguments = ["get"]
        .into_iter()
        .chain(object)
        .chain(selector)
        .chain(["--output=name"]);
    is_told && !place.kubectl(&arguments.collect::<Vec<_>>()).is_empty()
}
