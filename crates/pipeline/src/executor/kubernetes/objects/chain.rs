//! A whole delivery as one Job, for those who apply files: a container for each task, one after the other.

use formats::digest::Digest;
use serde_json::{Value, json};

use super::{Inside, Scene, names, pod};
use crate::plan::{Kind, Step};

/// The run for which an artifact is published: the same artifact is the same version, however often the Job runs.
pub(crate) const RENDERED_RUN: &str = "rendered";
/// How often it begins anew: a server that is not there yet comes within a few attempts.
const ATTEMPTS: u32 = 10;

impl Scene {
    /// The Job. Its name is made of what it does, because what a Job does cannot be changed.
    pub(crate) fn chain(&self) -> Value {
        let mut containers = Vec::new();
        let mut volumes: Vec<Value> = Vec::new();
        for step in self.tasks() {
            let (container, needed) = self.container(step, self.rendered(step));
            containers.push(container);
            for volume in needed {
                if volumes.iter().all(|known| known["name"] != volume["name"]) {
                    volumes.push(volume);
                }
            }
        }
        let last = containers.pop().into_iter().collect();
        let stop_seconds = self.settings.limits.stop_max.as_secs();
        let mut pod = pod::around(last, volumes, names::STEPS, stop_seconds);
        pod["initContainers"] = json!(containers);
        pod["restartPolicy"] = json!("OnFailure");
        let digest = Digest::of(pod.to_string().as_bytes());
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": self.metadata(&format!("slipway-delivery-{}", digest.short()), "download"),
            "spec": {
                "backoffLimit": ATTEMPTS,
                "activeDeadlineSeconds": self.settings.limits.task_max.as_secs(),
                // The rules for the network know it as the step that may look outside.
                "template": {"metadata": {"labels": self.labels("download")}, "spec": pod},
            },
        })
    }

    /// The steps that end by themselves.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Step> {
        self.plan.steps.iter().filter(|step| step.kind == Kind::Task)
    }

    /// The container of a task that nobody watches.
    pub(crate) fn rendered(&self, step: &Step) -> Inside {
        Inside {
            name: step.name.to_string(),
            command: self.program(step, RENDERED_RUN),
            more: json!({}),
            resources: self.resources(step.name).clone(),
            account: names::STEPS,
            grace_seconds: self.settings.limits.stop_max.as_secs(),
        }
    }
}
