//! The whole job on real MNIST. It takes minutes and 55 MB of data, so it runs where `RUN_SLOW_TESTS=1` is set.

use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::OnDemand;

use crate::project::{Project, steps};

/// Where MNIST comes from: the public sources, or `MNIST_SOURCE`.
pub(crate) fn source() -> String {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let source = std::env::var("MNIST_SOURCE");
    source.unwrap_or_else(|_| "null".to_owned())
}

#[test]
fn real_mnist_is_learnt_served_and_proven() {
    if !OnDemand::Slow.is_asked_for() {
        return;
    }
    let project = Project::new();
    project.make_real(&source());
    let document: Value = serde_json::from_str(&project.well(&["up", "--json"])).unwrap();
    let test = &document["delivery"]["test"];
    assert_eq!(
        (&test["clean"]["accuracy"]["total"], &test["noisy"]["accuracy"]["total"]),
        (&10_000.into(), &5_000.into())
    );
    assert_eq!(test["passed"], true, "{test}");

    let curl = document["delivery"]["curl"].as_str().unwrap();
    let answer = project.paste(curl);
    assert_eq!(answer["class_ids"][0][0], document["delivery"]["label"], "{answer}");

    let started = Instant::now();
    assert_eq!(steps(&project.well(&["up", "--json"])), [""; 0]);
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "{:?}",
        started.elapsed()
    );
}
