//! Deliveries that the cluster itself carries out, on a schedule.

use std::time::Duration;

use expect_test::expect;
use test_support::{OnDemand, patience};

use super::{
    lost::wait_for_training,
    place::{Place, image},
    told::told,
};

/// Once a year, so that none begins by itself while a test runs.
pub(crate) const SCHEDULE: &str = "retraining_schedule: \"0 0 1 1 *\"";

#[test]
fn a_retraining_inside_of_the_cluster_goes_on_where_somebody_was_killed_and_holds_the_lease() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.up(0);
    // From here on the data set is the cluster's affair; it lies there already.
    place.project.set("source: digits", "source: null");
    place.project.set("retraining_schedule: null", SCHEDULE);
    place.project.set("steps: 150", "steps: 30000");
    let image = image(0);
    let mut up = place.start(&["up", "--json", "--image", &image]);
    wait_for_training(&place);
    up.kill();
    drop(up);

    // Nobody there knows that its holder is dead: it would run out, for which this test does not wait.
    place.kubectl(&["delete", "lease", "slipway-delivery"]);
    let job = start_retraining(&place, "now");
    patience("the retraining that goes on", Duration::from_secs(60), || {
        logs(&place, &job)
            .contains("an earlier delivery has started Job")
            .then_some(())
    });
    let second = place.pipeline(&["up", "--image", &image]);
    assert_eq!(second.code, 1, "{}", second.stderr);
    let holder = "retraining-now-POD";
    let said = told(&place, &second.stderr);
    let pod = place.kubectl(&[
        "get",
        "pods",
        "--selector=job-name=retraining-now",
        "--field-selector=status.phase=Running",
        "--output=jsonpath={.items[0].metadata.name}",
    ]);
    expect![[r#"
        error: another `pipeline` delivers into namespace `NAMESPACE`: retraining-now-POD (PROCESS), since MOMENT

        hint: wait for its end; one that was killed is forgotten after 15 seconds
    "#]]
    .assert_eq(&said.replace(&pod, holder));
    // Where nobody sits there to try again, the code says that it is worth it.
    let another = place.pipeline(&["up", "--retrain", "--image", &image]);
    assert_eq!(another.code, 75, "{}", another.stderr);

    finish_retraining(&place, &job);
    let told_inside = logs(&place, &job);
    assert!(told_inside.contains("mnist:2"), "{told_inside}");
    let plan = place.pipeline(&["plan", "--image", &image]);
    assert_eq!(plan.code, 0, "{}{}", plan.stdout, plan.stderr);
    check_rights(&place);

    // What is not asked for any more goes.
    place.project.set(SCHEDULE, "retraining_schedule: null");
    let plan = place.pipeline(&["plan", "--image", &image]);
    assert!(
        plan.stdout.contains("change  CronJob slipway-retraining: goes"),
        "{}",
        plan.stdout
    );
    place.up(0);
    let left = place.kubectl(&["get", "cronjob,role,rolebinding", "--output=name"]);
    assert_eq!(left, "");
}

/// Makes a Job of the CronJob, as somebody does who cannot wait.
pub(crate) fn start_retraining(place: &Place, what: &str) -> String {
    let job = format!("retraining-{what}");
    place.kubectl(&["create", "job", "--from=cronjob/slipway-retraining", &job]);
    job
}

/// Waits for its good end.
pub(crate) fn finish_retraining(place: &Place, job: &str) {
    let conditions = r#"--output=jsonpath={.status.conditions[?(@.status=="True")].type}"#;
    patience("the end of the retraining", Duration::from_secs(300), || {
        let conditions = place.kubectl(&["get", "job", job, conditions]);
        assert!(!conditions.contains("Failed"), "{}", logs(place, job));
        conditions.contains("Complete").then_some(())
    });
}

/// What it wrote so far, in all of its attempts.
pub(crate) fn logs(place: &Place, job: &str) -> String {
    // A pod that does not run yet has nothing to say, and that is no failure.
    place.kubectl_whatever(&["logs", &format!("--selector=job-name={job}"), "--tail=-1"])
}

/// What its account may do, as the cluster itself says.
fn check_rights(place: &Place) {
    let account = format!("--as=system:serviceaccount:{}:slipway-retraining", place.namespace);
    let may = |verb: &str, what: &str| {
        let answer = place.kubectl_whatever(&["auth", "can-i", verb, what, &account]);
        answer.trim() == "yes"
    };
    for (verb, what) in [
        ("create", "jobs.batch"),
        ("get", "secret/slipway-management"),
        ("patch", "deployment/slipway-server"),
    ] {
        assert!(may(verb, what), "{verb} {what}");
    }
    let never = [
        ("list", "secrets"),
        ("get", "secrets"),
        ("create", "secrets"),
        ("create", "pods/exec"),
        ("create", "pods/portforward"),
        ("create", "pods"),
        ("patch", "deployments"),
        ("patch", "role/slipway-retraining"),
        ("delete", "persistentvolumeclaims"),
    ];
    for (verb, what) in never {
        assert!(!may(verb, what), "{verb} {what}");
    }
}
