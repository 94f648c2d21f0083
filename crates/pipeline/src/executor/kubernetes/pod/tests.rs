//! What a person is told of a pod, from the status that a cluster gives it.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::*;

fn pod(status: &Value) -> Pod {
    let spec = json!({"containers": [{"name": "step", "image": "slipway:1"}]});
    serde_json::from_value(json!({"metadata": {"name": "train"}, "spec": spec, "status": status})).unwrap()
}

fn check_end(status: &Value, expected: Expect) {
    let view = over(&pod(status), "train", "24Mi", "raise it");
    expected.assert_eq(&match view {
        None => "goes on".to_owned(),
        Some(View::Ended { ended, report, .. }) => format!("{ended}, report: {}", report.is_some()),
        Some(View::Lost(message)) => message,
        Some(View::Failed { trouble, .. }) => format!("{trouble}; hint: {}", trouble.hint()),
        Some(View::TimedOut | View::Waits(_) | View::Runs(_)) => unreachable!("an end is none of these"),
    });
}

fn check_wait(status: &Value, expected: Expect) {
    let claims = || Ok(Some("claim `slipway-work`: storageclass \"x\" not found".to_owned()));
    let pause = waits(&pod(status), claims).unwrap();
    expected.assert_eq(&pause.map_or("nothing".to_owned(), |Pause(trouble)| {
        format!("{trouble}; hint: {}", trouble.hint())
    }));
}

fn terminated(state: &Value) -> Value {
    json!({
        "phase": "Failed",
        "containerStatuses": [{
            "name": "step", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": state},
        }],
    })
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({
        "phase": "Pending",
        "containerStatuses": [{
            "name": "step", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}},
        }],
    })
}

#[test]
fn an_end_of_its_own_is_an_exit_code() {
    let report = r#"{"format":1,"left":{},"memory_peak_bytes":1,"is_killed_for_memory":false}"#;
    check_end(
        &terminated(&json!({"exitCode": 0, "message": report})),
        expect!["ended with exit code 0, report: true"],
    );
    check_end(
        &terminated(&json!({"exitCode": 75, "message": "cut sho"})),
        expect!["ended with exit code 75, report: false"],
    );
    check_end(
        &terminated(&json!({"exitCode": 137})),
        expect!["was ended by signal 9, report: false"],
    );
    check_end(&json!({"phase": "Running"}), expect!["goes on"]);
}

#[test]
fn a_pod_that_took_too_much_memory_is_named_as_such() {
    let told = "it was killed, because it took all of the memory that it may take, 24Mi; hint: raise it";
    let of_cluster = terminated(&json!({"exitCode": 137, "reason": "OOMKilled"}));
    let report = r#"{"format":1,"left":{},"memory_peak_bytes":1,"is_killed_for_memory":true}"#;
    let of_step = terminated(&json!({"exitCode": 137, "message": report}));
    for status in [of_cluster, of_step] {
        let Some(View::Failed { trouble, .. }) = over(&pod(&status), "train", "24Mi", "raise it") else {
            panic!("{status} is no failure");
        };
        assert_eq!(format!("{trouble}; hint: {}", trouble.hint()), told);
    }
}

#[test]
fn a_pod_that_had_to_go_is_worth_another_attempt() {
    let mut evicted =
        json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."});
    check_end(
        &evicted,
        expect!["the pod is lost: The node was low on resource: memory."],
    );
    evicted = terminated(&json!({"exitCode": 130}));
    check_end(&evicted, expect!["the pod is lost: it was told to end"]);
    evicted["conditions"] = json!([{
        "type": "DisruptionTarget", "status": "True", "message": "Preempted by a pod on node a",
    }]);
    check_end(&evicted, expect!["the pod is lost: Preempted by a pod on node a"]);
}

#[test]
fn what_keeps_a_pod_from_its_start_is_told_in_the_words_of_the_cluster() {
    check_wait(
        &waiting("ErrImagePull", "pull access denied"),
        expect![
            "the image `slipway:1` cannot be had: pull access denied; hint: `--image` names an image that the nodes can pull, or that was loaded into them, with its tag or digest"
        ],
    );
    check_wait(
        &waiting("CreateContainerConfigError", "secret \"slipway-management\" not found"),
        expect![
            "the pod cannot start: secret \"slipway-management\" not found; hint: `kubectl describe` in the namespace shows all that led to this"
        ],
    );
    check_wait(&waiting("ContainerCreating", ""), expect!["nothing"]);
    let unscheduled = |message: &str| {
        json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message},
        ]})
    };
    check_wait(
        &unscheduled("0/1 nodes are available: 1 Insufficient cpu."),
        expect![
            "no node takes the pod: 0/1 nodes are available: 1 Insufficient cpu.; hint: the keys `kubernetes.*_cpu` and `kubernetes.*_memory` of `pipeline.yaml` say what pods are promised; `kubectl describe nodes` shows what is left"
        ],
    );
    check_wait(
        &unscheduled("pod has unbound immediate PersistentVolumeClaims"),
        expect![[
            r#"no node takes the pod: pod has unbound immediate PersistentVolumeClaims (claim `slipway-work`: storageclass "x" not found); hint: the keys `kubernetes.storage_class`, `work_storage` and `access_mode` of `pipeline.yaml` must suit the cluster; `kubectl get storageclass` shows what it has"#
        ]],
    );
}
