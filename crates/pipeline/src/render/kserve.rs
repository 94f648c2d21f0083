//! The server alone, for KServe: a runtime that serves a registry, and a service that uses it.

use serde_json::{Value, json};

use super::{NAMESPACE, yaml};
use crate::{decide::Key, executor::Scene};

const RUNTIME: &str = "slipway";
const MODEL_FORMAT: &str = "slipway";

pub(super) fn files(scene: &Scene) -> Vec<(&'static str, String)> {
    let deployment = scene.deployment(&Key::default());
    let pod = &deployment["spec"]["template"]["spec"];
    vec![
        ("kserve/serving-runtime.yaml", yaml::document(&runtime(pod))),
        ("kserve/inference-service.yaml", yaml::document(&service(scene))),
    ]
}

/// KServe knows the container of a model by its name.
fn runtime(pod: &Value) -> Value {
    let mut container = pod["containers"][0].clone();
    container["name"] = json!("kserve-container");
    json!({
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": RUNTIME, "namespace": NAMESPACE},
        "spec": {
            "supportedModelFormats": [{"name": MODEL_FORMAT, "version": "1", "autoSelect": true}],
            "multiModel": false,
            "containers": [container],
            "volumes": pod["volumes"],
        },
    })
}

/// Of the registry's applications all are served: there is no model to be copied into the pod.
fn service(scene: &Scene) -> Value {
    let settings = &scene.settings.kubernetes;
    json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": RUNTIME,
            "namespace": NAMESPACE,
            "annotations": {"serving.kserve.io/deploymentMode": "RawDeployment"},
        },
        "spec": {
            "predictor": {
                "minReplicas": settings.replicas,
                "maxReplicas": settings.replicas_max.unwrap_or(settings.replicas),
                "model": {"modelFormat": {"name": MODEL_FORMAT, "version": "1"}, "runtime": RUNTIME},
            },
        },
    })
}
