//! What a person is told when something is wrong, and that `up` puts it right afterwards.

use std::time::{Duration, Instant};

use test_support::{OnDemand, patience};

use super::place::{Place, image};

/// What is told within seconds of the start of a pod, and not after a time-out.
const SECONDS: Duration = Duration::from_secs(25);

#[test]
fn what_a_cluster_cannot_do_is_told_with_its_own_words_and_what_helps() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    let started = Instant::now();
    let wrong = place.pipeline(&["up", "--image", "localhost/nobody-has-this:1"]);
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    assert!(started.elapsed() < SECONDS, "{:?}: {}", started.elapsed(), wrong.stderr);
    for part in [
        "the image `localhost/nobody-has-this:1` cannot be had: ",
        "hint: `--image` names",
    ] {
        assert!(wrong.stderr.contains(part), "{part}: {}", wrong.stderr);
    }

    place.project.set("training_memory: 512Mi", "training_memory: 10Mi");
    let small = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(small.code, 1, "{}", small.stderr);
    for part in [
        "because it took all of the memory that it may take, 10Mi",
        "hint: raise the key `kubernetes.training_memory`",
    ] {
        assert!(small.stderr.contains(part), "{part}: {}", small.stderr);
    }
    place.project.set("training_memory: 10Mi", "training_memory: 512Mi");

    place.project.set("server_cpu: 100m", "server_cpu: 900000m");
    let greedy = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(greedy.code, 1, "{}", greedy.stderr);
    for part in [
        "no node takes the pod: ",
        "Insufficient cpu",
        "hint: the keys `kubernetes.*_cpu`",
    ] {
        assert!(greedy.stderr.contains(part), "{part}: {}", greedy.stderr);
    }
    place.project.set("server_cpu: 900000m", "server_cpu: 100m");
    place.up(0);
}

#[test]
fn a_claim_that_no_volume_fits_is_told_with_what_the_cluster_says_of_it() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place
        .project
        .set("storage_class: null", "storage_class: nobody-has-this");
    place.project.set("ready_seconds: 30", "ready_seconds: 5");
    let outcome = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    for part in [
        "no node takes the pod: ",
        r#"claim `slipway-work`: storageclass.storage.k8s.io "nobody-has-this" not found"#,
        "hint: the keys `kubernetes.storage_class`",
    ] {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
    // The class of a claim is for good.
    place.well(&["down"]);
    place
        .project
        .set("storage_class: nobody-has-this", "storage_class: null");
    place.project.set("ready_seconds: 5", "ready_seconds: 30");
    place.up(0);
}

#[test]
fn a_deleted_job_and_a_killed_pipeline_cost_an_attempt_at_most() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.project.set("steps: 150", "steps: 100000");
    let image = image(0);
    let up = place.start(&["up", "--json", "--image", &image]);
    wait_for_training(&place);
    place.kubectl(&["delete", "job", "--selector=slipway/step=train"]);
    patience("the next attempt", Duration::from_secs(60), || {
        up.stderr().contains("attempt 2 of 3").then_some(())
    });
    assert!(
        up.stderr().contains("somebody deleted Job `slipway-train-000001-"),
        "{}",
        up.stderr()
    );

    let second = place.pipeline(&["up", "--image", &image]);
    assert_eq!(second.code, 1, "{}", second.stderr);
    assert!(
        second.stderr.contains("another `pipeline` delivers into namespace"),
        "{}",
        second.stderr
    );

    let mut up = up;
    // The pod of the deleted Job ends first, and looks like any other meanwhile.
    patience("the job of the next attempt", Duration::from_secs(60), || {
        let jobs = place.kubectl(&["get", "jobs", "--selector=slipway/step=train", "--output=name"]);
        (!jobs.is_empty()).then_some(())
    });
    wait_for_training(&place);
    up.kill();
    let jobs = place.kubectl(&["get", "jobs", "--selector=slipway/step=train", "--output=name"]);
    assert_eq!(jobs.lines().count(), 1, "{jobs}");
    let goes_on = place.start(&["up", "--json", "--image", &image]);
    patience("the job that goes on", Duration::from_secs(30), || {
        goes_on
            .stderr()
            .contains("an earlier delivery has started Job")
            .then_some(())
    });
    goes_on.interrupt();
    let outcome = goes_on.wait(Duration::from_secs(60));
    assert_eq!(outcome.code, 130, "{}", outcome.stderr);

    place.project.set("steps: 100000", "steps: 150");
    place.up(0);
}

#[test]
fn an_api_server_that_is_gone_for_twenty_seconds_is_waited_for() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let (place, relay) = Place::behind_a_relay();
    place.project.set("steps: 150", "steps: 30000");
    let up = place.start(&["up", "--json", "--image", &image(0)]);
    wait_for_training(&place);
    relay.cut();
    let cut = Instant::now();
    patience("the message", Duration::from_secs(15), || {
        up.stderr().contains("the API server does not answer (").then_some(())
    });
    patience("the end of the outage", Duration::from_secs(25), || {
        (cut.elapsed() >= Duration::from_secs(20)).then_some(())
    });
    relay.mend();
    let outcome = up.wait(Duration::from_secs(240));
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("waiting for it, for 90 s at most"),
        "{}",
        outcome.stderr
    );
}

fn wait_for_training(place: &Place) {
    patience("the training", Duration::from_secs(90), || {
        let running = place.kubectl(&[
            "get",
            "pods",
            "--selector=slipway/step=train",
            "--field-selector=status.phase=Running",
            "--output=name",
        ]);
        (!running.is_empty()).then_some(())
    });
}

#[test]
fn a_deleted_server_pod_is_replaced_and_what_others_change_is_told() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.up(0);
    place.kubectl(&[
        "delete",
        "pods",
        "--selector=app.kubernetes.io/component=server",
        "--wait=false",
    ]);
    place.up(0);

    place.kubectl(&["scale", "deployment", "slipway-server", "--replicas=1"]);
    let plan = place.pipeline(&["plan", "--image", &image(0)]);
    assert_eq!(plan.code, 2, "{}", plan.stderr);
    let change = "change  Deployment slipway-server: .spec.replicas changes from 1 to 2";
    assert!(plan.stdout.contains(change), "{}", plan.stdout);
    let conflict = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(conflict.code, 1, "{}", conflict.stderr);
    for part in [
        "is changed by somebody else",
        "\"kubectl\"",
        ".spec.replicas",
        "hint: `--force-conflicts`",
    ] {
        assert!(conflict.stderr.contains(part), "{part}: {}", conflict.stderr);
    }
    place.well(&["up", "--image", &image(0), "--force-conflicts"]);
    assert_eq!(place.pipeline(&["plan", "--image", &image(0)]).code, 0);
}
