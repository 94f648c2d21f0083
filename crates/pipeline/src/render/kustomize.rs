//! Plain objects, and a kustomize base with two overlays.

use serde_json::{Value, json};

use super::{NAMESPACE, yaml};
use crate::{decide::Key, executor::Scene};

/// Everything in one file.
pub(super) fn plain(scene: &Scene) -> String {
    let mut objects = vec![Scene::namespace(NAMESPACE)];
    objects.extend(objects_of(scene).into_iter().map(|mut object| {
        object["metadata"]["namespace"] = json!(NAMESPACE);
        object
    }));
    yaml::documents(&objects)
}

/// The base, and what a place to try things and one that others depend on have otherwise.
pub(super) fn files(scene: &Scene) -> Vec<(&'static str, String)> {
    let objects = objects_of(scene);
    let name = |object: &&Value| object["kind"] == "Deployment";
    let deployment = objects.iter().find(name).expect("a delivery has a server");
    let metadata = json!({"name": deployment["metadata"]["name"]});
    let replicas = |number: u16| {
        yaml::document(&json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": number},
        }))
    };
    let overlay = |namespace: &str, more: &[&str]| {
        yaml::document(&json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": namespace,
            "resources": ["../../base"],
            "patches": more.iter().map(|path| json!({"path": path})).collect::<Vec<_>>(),
        }))
    };
    let base = yaml::document(&json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": ["namespace.yaml", "slipway.yaml"],
    }));
    vec![
        ("base/kustomization.yaml", base),
        ("base/namespace.yaml", yaml::document(&Scene::namespace(NAMESPACE))),
        ("base/slipway.yaml", yaml::documents(&objects)),
        (
            "overlays/dev/kustomization.yaml",
            overlay("slipway-dev", &["replicas.yaml"]),
        ),
        ("overlays/dev/replicas.yaml", replicas(1)),
        (
            "overlays/prod/kustomization.yaml",
            overlay("slipway-prod", &["replicas.yaml"]),
        ),
        ("overlays/prod/replicas.yaml", replicas(3)),
    ]
}

/// The objects without a namespace. The token that opens the management is in none: a secret does not belong into a file.
pub(super) fn objects_of(scene: &Scene) -> Vec<Value> {
    let mut objects = scene.base();
    let mut deployment = scene.deployment(&Key::default());
    // Only the pipeline itself compares what a server was started with.
    if let Some(metadata) = deployment["metadata"].as_object_mut() {
        metadata.remove("annotations");
    }
    objects.extend([deployment, scene.chain()]);
    objects
}
