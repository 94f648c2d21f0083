//! A workflow with a task for each task of the plan, and one that repeats it every night.

use serde_json::{Value, json};

use super::{NAMESPACE, yaml};
use crate::executor::{Scene, nobody};

const ACCOUNT: &str = "slipway-argo";
const API: &str = "argoproj.io/v1alpha1";

pub(super) fn files(scene: &Scene) -> Vec<(&'static str, String)> {
    let spec = spec(scene);
    let workflow = json!({
        "apiVersion": API,
        "kind": "Workflow",
        "metadata": {"generateName": "slipway-", "namespace": NAMESPACE},
        "spec": spec,
    });
    let nightly = json!({
        "apiVersion": API,
        "kind": "CronWorkflow",
        "metadata": {"name": "slipway-nightly", "namespace": NAMESPACE},
        "spec": {
            "schedules": ["30 2 * * *"],
            "timezone": "Etc/UTC",
            // Two at once would train the same model twice.
            "concurrencyPolicy": "Forbid",
            "workflowSpec": spec,
        },
    });
    vec![
        ("argo/access.yaml", yaml::documents(&access())),
        ("argo/workflow.yaml", yaml::document(&workflow)),
        ("argo/cron-workflow.yaml", yaml::document(&nightly)),
    ]
}

fn spec(scene: &Scene) -> Value {
    let mut templates = Vec::new();
    let mut tasks: Vec<Value> = Vec::new();
    let mut volumes: Vec<Value> = Vec::new();
    for step in scene.tasks() {
        let (mut container, needed) = scene.container(step, scene.rendered(step));
        // A template has the name itself.
        if let Some(container) = container.as_object_mut() {
            container.remove("name");
        }
        volumes.extend(
            needed
                .into_iter()
                .filter(|volume| !volumes.contains(volume))
                .collect::<Vec<_>>(),
        );
        let mut task = json!({"name": step.name, "template": step.name});
        if let Some(before) = tasks.last() {
            task["dependencies"] = json!([before["name"]]);
        }
        tasks.push(task);
        templates.push(json!({
            "name": step.name,
            "metadata": {
                "labels": {"app.kubernetes.io/name": "slipway", "app.kubernetes.io/component": step.name},
            },
            "retryStrategy": {
                "limit": scene.settings.limits.attempts.get().to_string(),
                // The code of a failure that may pass; every other one is for good.
                "expression": "lastRetry.exitCode == '75' || lastRetry.status == 'Error'",
                "backoff": {"duration": "1", "factor": "2", "maxDuration": "10m"},
            },
            "activeDeadlineSeconds": scene.settings.limits.task_max.as_secs(),
            "container": container,
        }));
    }
    templates.push(json!({"name": "delivery", "dag": {"tasks": tasks}}));
    json!({
        "entrypoint": "delivery",
        "serviceAccountName": ACCOUNT,
        "automountServiceAccountToken": false,
        "executor": {"serviceAccountName": ACCOUNT},
        "securityContext": nobody(),
        "ttlStrategy": {"secondsAfterCompletion": 86_400},
        "podGC": {"strategy": "OnPodSuccess"},
        "volumes": volumes,
        "templates": templates,
    })
}

/// What Argo's executor needs to tell how a task ended, and nothing else.
fn access() -> Vec<Value> {
    let metadata = json!({"name": ACCOUNT, "namespace": NAMESPACE});
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [{
                "apiGroups": ["argoproj.io"],
                "resources": ["workflowtaskresults"],
                "verbs": ["create", "patch"],
            }],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
        }),
    ]
}
