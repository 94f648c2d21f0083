//! What breaks while a delivery is under way, and what others do to what it made.

use std::time::{Duration, Instant};

use expect_test::expect;
use test_support::{OnDemand, patience};

use super::{
    place::{Place, image},
    told::told,
};

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
    let second = place.pipeline(&["up", "--image", &image]);
    assert_eq!(second.code, 1, "{}", second.stderr);
    let (host, _) = second.stderr.split_once(" (process ").unwrap();
    let host = host.rsplit(' ').next().unwrap();
    expect![[r#"
        error: another `pipeline` delivers into namespace `NAMESPACE`: HOST (PROCESS), since MOMENT

        hint: wait for its end; one that was killed is forgotten after 15 seconds
    "#]]
    .assert_eq(&told(&place, &second.stderr.replace(host, "HOST")));

    let mut up = up;
    // The pod of the deleted Job ends first, and looks like any other meanwhile.
    patience("the job of the next attempt", Duration::from_secs(60), || {
        let jobs = place.kubectl(&["get", "jobs", "--selector=slipway/step=train", "--output=name"]);
        (!jobs.is_empty()).then_some(())
    });
    wait_for_training(&place);
    up.kill();
    expect![[r#"
        image    | took SIZE of memory at most, of 256Mi
        download runs: it has not finished before
        download | received 4 files
        download | took SIZE of memory at most, of 256Mi
        download done in SPAN
        train    runs: it has not finished before
        train    | somebody deleted Job `slipway-train-RUN-KEY-ATTEMPT`
        train    | this may pass: attempt 2 of 3 in SPAN
    "#]]
    .assert_eq(&told(&place, &up.stderr()));
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
    expect![[r#"
        download skipped: nothing has changed here (the server, which does not answer, was not asked) since MOMENT
        train    runs: it has not finished before
        train    | an earlier delivery has started Job `slipway-train-RUN-KEY-ATTEMPT`
        train    was interrupted
    "#]]
    .assert_eq(&told(&place, &outcome.stderr));

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
    // What the system says of a connection that breaks depends on what was under way.
    let (before, rest) = outcome.stderr.split_once("does not answer (").unwrap();
    let (_, after) = rest.split_once("); waiting").unwrap();
    let stderr = format!("{before}does not answer (REASON); waiting{after}");
    expect![[r#"
        image    | took SIZE of memory at most, of 256Mi
        download runs: it has not finished before
        download | received 4 files
        download | took SIZE of memory at most, of 256Mi
        download done in SPAN
        train    runs: it has not finished before
        the API server does not answer (REASON); waiting for it, for 90 s at most
        train    | took SIZE of memory at most, of 512Mi
        train    done in SPAN
        serve    runs: it does not run
        serve    done in SPAN
        upload   runs: it has not finished before
        upload   | took SIZE of memory at most, of 256Mi
        upload   done in SPAN
        deploy   runs: it has not finished before
        deploy   | took SIZE of memory at most, of 256Mi
        deploy   done in SPAN
        test     runs: it has not finished before
        test     | took SIZE of memory at most, of 256Mi
        test     done in SPAN
    "#]]
    .assert_eq(&told(&place, &stderr));
}

pub(crate) fn wait_for_training(place: &Place) {
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
    let replaced = place.well(&["up", "--image", &image(0)]);
    // Whether the new pods are ready by then is theirs to say; that nothing is made again does not depend on it.
    let replaced = replaced
        .stderr
        .replace(" here (the server, which does not answer, was not asked)", "");
    let steps: Vec<&str> = replaced.lines().filter(|line| !line.starts_with("serve ")).collect();
    expect![[r#"
        download skipped: nothing has changed since MOMENT
        train    skipped: nothing has changed since MOMENT
        upload   skipped: nothing has changed since MOMENT
        deploy   skipped: nothing has changed since MOMENT
        test     skipped: nothing has changed since MOMENT
    "#]]
    .assert_eq(&told(&place, &steps.join("\n")));
    place.kubectl(&["rollout", "status", "deployment", "slipway-server", "--timeout=60s"]);

    place.kubectl(&["scale", "deployment", "slipway-server", "--replicas=1"]);
    let plan = place.pipeline(&["plan", "--image", &image(0)]);
    assert_eq!(plan.code, 2, "{}", plan.stderr);
    let change = "change  Deployment slipway-server: .spec.replicas changes from 1 to 2";
    assert!(plan.stdout.contains(change), "{}", plan.stdout);
    let conflict = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(conflict.code, 1, "{}", conflict.stderr);
    expect![[r#"
        error: Deployment `slipway-server` is changed by somebody else: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas

        hint: `--force-conflicts` takes over what they have set
    "#]].assert_eq(&told(&place, &conflict.stderr));
    place.well(&["up", "--image", &image(0), "--force-conflicts"]);
    assert_eq!(place.pipeline(&["plan", "--image", &image(0)]).code, 0);
}
