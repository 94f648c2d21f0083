//! The training alone, for Kubeflow Trainer: a runtime, and a job that uses it.

use serde_json::{Value, json};

use super::{NAMESPACE, yaml};
use crate::{
    executor::{Scene, nobody},
    plan::StepName,
};

const API: &str = "trainer.kubeflow.org/v1alpha1";
const RUNTIME: &str = "slipway";

pub(super) fn files(scene: &Scene) -> Vec<(&'static str, String)> {
    vec![
        ("kubeflow/training-runtime.yaml", yaml::document(&runtime(scene))),
        ("kubeflow/train-job.yaml", yaml::document(&job(scene))),
    ]
}

/// The data set is fetched by a container that runs before the trainer's.
fn runtime(scene: &Scene) -> Value {
    let (download, train) = (scene.step(StepName::Download), scene.step(StepName::Train));
    let (first, mut volumes) = scene.container(download, scene.rendered(download));
    let (mut trainer, more) = scene.container(train, scene.rendered(train));
    volumes.extend(
        more.into_iter()
            .filter(|volume| !volumes.contains(volume))
            .collect::<Vec<_>>(),
    );
    trainer["name"] = json!("node");
    let pod = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "securityContext": nobody(),
        "initContainers": [first],
        "containers": [trainer],
        "volumes": volumes,
    });
    json!({
        "apiVersion": API,
        "kind": "TrainingRuntime",
        "metadata": {"name": RUNTIME, "namespace": NAMESPACE, "labels": {"trainer.kubeflow.org/framework": "slipway"}},
        "spec": {
            "mlPolicy": {"numNodes": 1},
            "template": {
                "spec": {
                    "replicatedJobs": [{
                        "name": "node",
                        "template": {
                            "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
                            "spec": {"backoffLimit": 0, "template": {"spec": pod}},
                        },
                    }],
                },
            },
        },
    })
}

fn job(scene: &Scene) -> Value {
    let train = scene.step(StepName::Train);
    let command = scene.rendered(train).command;
    let (program, arguments) = command.split_first().expect("a step has a program");
    json!({
        "apiVersion": API,
        "kind": "TrainJob",
        "metadata": {"name": "slipway-train", "namespace": NAMESPACE},
        "spec": {
            "runtimeRef": {"apiGroup": "trainer.kubeflow.org", "kind": "TrainingRuntime", "name": RUNTIME},
            "trainer": {"image": scene.image, "command": [program], "args": arguments, "numNodes": 1},
        },
    })
}
