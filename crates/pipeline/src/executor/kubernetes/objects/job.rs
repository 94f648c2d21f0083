//! A task as a Job.

use std::{fmt, time::Duration};

use formats::digest::Digest;
use serde_json::{Value, json};

use super::{Inside, LOOK, RECEIVE_PORT, Scene, labels, names, pod};
use crate::{
    decide::Key,
    places::IN_POD,
    plan::{Location, Place, Program, Step, StepName},
    settings::Resources,
    state::RunId,
};

/// How long a Job is there to be looked at, once it has ended.
pub(super) const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The folder of the programs in the image, as the Dockerfile puts them.
const IN_IMAGE: &str = "/usr/bin";

/// One attempt at a step.
pub(crate) struct Attempt<'a> {
    pub(crate) step: &'a Step,
    pub(crate) run: &'a RunId,
    /// Of the step's key.
    pub(crate) digest: Digest,
    /// Counted from 1.
    pub(crate) number: u32,
}

/// `slipway-train-000007-0123456789ab-1`: step, number of the run, beginning of the key's digest, attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobName(String);

impl Attempt<'_> {
    /// The digest of a step's key.
    pub(crate) fn digest(key: &Key) -> Digest {
        Digest::of(&serde_json::to_vec(key).expect("a key has text as keys"))
    }

    pub(crate) fn name(&self) -> JobName {
        let run = self.run.to_string();
        let number = run.split('-').next().unwrap_or(&run);
        JobName(format!(
            "slipway-{}-{number}-{}-{}",
            self.step.name,
            self.digest.short(),
            self.number
        ))
    }

    /// The labels by which all attempts at the same work are found.
    pub(crate) fn selector(&self) -> String {
        let Self { step, run, digest, .. } = self;
        let (step, digest) = (step.name, digest.short());
        format!("{}={step},{}={run},{}={digest}", labels::STEP, labels::RUN, labels::KEY)
    }
}

impl Scene {
    /// The Job that makes this attempt. It makes no other by itself: whether another one is worth it, we decide.
    pub(crate) fn job(&self, attempt: &Attempt<'_>) -> Value {
        let Attempt { step, run, digest, .. } = attempt;
        let settings = &self.settings;
        let mut labels = self.labels(step.name.as_str());
        labels[labels::STEP] = json!(step.name);
        labels[labels::RUN] = json!(run);
        labels[labels::KEY] = json!(digest.short());
        let inside = Inside {
            name: "step".to_owned(),
            command: self.step_command(step, &run.to_string()),
            more: json!({"terminationMessagePolicy": "File"}),
            resources: self.resources(step.name).clone(),
            account: names::STEPS,
            // The step's own limit comes first, so that what it says at its end is still heard.
            grace_seconds: settings.limits.stop_max.as_secs() + 5,
        };
        let mut pod = self.pod(step, inside);
        pod["restartPolicy"] = json!("Never");
        if self.receives(step) {
            pod::add_source(&mut pod);
        }
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": attempt.name().to_string(), "labels": labels},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": settings.limits.task_max.as_secs(),
                "ttlSecondsAfterFinished": KEPT.as_secs(),
                // A pod that had to make room is told apart from one that failed.
                "podFailurePolicy": {
                    "rules": [{"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}],
                },
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        })
    }

    /// The Job that tells which programs the image has: their digests, as a step tells those of what it leaves.
    pub(crate) fn look(&self, number: u64) -> Value {
        let stop_seconds = self.settings.limits.stop_max.as_secs();
        let head = ["pipeline", "launch", "step", "--stop-seconds"];
        let mut command: Vec<String> = head.map(str::to_owned).into();
        command.push(stop_seconds.to_string());
        for program in Program::ALL.map(Program::as_str) {
            command.extend(["--left".to_owned(), format!("{program}={IN_IMAGE}/{program}")]);
        }
        command.extend(["--", "pipeline", "--version"].map(str::to_owned));
        let labels = self.labels(LOOK);
        let mut pod = self.bare_pod(Inside {
            name: "step".to_owned(),
            command,
            more: json!({"terminationMessagePolicy": "File"}),
            resources: self.settings.kubernetes.step.clone(),
            account: names::STEPS,
            grace_seconds: stop_seconds,
        });
        pod["restartPolicy"] = json!("Never");
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": format!("slipway-{LOOK}-{number}"), "labels": labels},
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": self.settings.limits.task_max.as_secs(),
                "ttlSecondsAfterFinished": KEPT.as_secs(),
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        })
    }

    /// What the pod of a step may take.
    pub(crate) fn resources(&self, step: StepName) -> &Resources {
        let settings = &self.settings.kubernetes;
        match step {
            StepName::Train => &settings.training,
            StepName::Serve => &settings.server,
            StepName::Download | StepName::Upload | StepName::Deploy | StepName::Test => &settings.step,
        }
    }

    /// Whether the step takes files from this machine.
    pub(crate) fn receives(&self, step: &Step) -> bool {
        step.name == StepName::Download && self.source.is_some()
    }

    /// The program of a step inside of the one that tells what became of it, see `commands/launch/step.rs`.
    fn step_command(&self, step: &Step, run: &str) -> Vec<String> {
        let mut command: Vec<String> = ["pipeline", "launch", "step", "--stop-seconds"]
            .map(str::to_owned)
            .into();
        command.push(self.settings.limits.stop_max.as_secs().to_string());
        let named = |location: &&Location| location.file.is_some();
        for location in step.writes.iter().filter(named) {
            let flag = match location.place {
                Place::Results => "--hand-over",
                _ => "--left",
            };
            let path = self.places.path(location);
            command.extend([flag.to_owned(), format!("{location}={}", path.display())]);
        }
        if self.receives(step) {
            let (port, folder) = (RECEIVE_PORT.to_string(), format!("{IN_POD}/source"));
            command.extend(["--receive-port".to_owned(), port, "--receive-into".to_owned(), folder]);
        }
        command.push("--".to_owned());
        command.extend(self.program(step, run));
        command
    }
}

impl From<String> for JobName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
