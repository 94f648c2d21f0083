//! A step as a Job, from its making to its end.

use std::{
    thread,
    time::{Duration, Instant},
};

use console::exit;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use serde_json::json;

use super::{
    cluster::Cluster,
    lines::Lines,
    objects::{Attempt, JobName, LOOK, Scene, labels},
    pod::{self, Pause, View},
    source,
};
use crate::{
    executor::Ended,
    plan::StepName,
    report::{StepDocument, StepReport},
    settings::Quantity,
    time,
};

/// How often the cluster is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(300);

const STEP_HINT: &str = "raise the key `kubernetes.step_memory` of `pipeline.yaml`";

/// How much later than its program a pod may end.
const SETTLE: Duration = Duration::from_secs(15);

/// What became of a step.
pub(super) struct Finished {
    pub(super) ended: Ended,
    /// What the pod told at its end; absent where it was lost.
    pub(super) report: Option<StepReport>,
    pub(super) documents: Vec<StepDocument>,
}

/// What a Job does, as far as following it goes.
struct Work<'a> {
    /// Labels of its pods.
    selector: String,
    memory: &'a Quantity,
    /// What helps where that is too little.
    hint: &'static str,
    /// Whether it waits for files from here.
    receives: bool,
}

/// One Job that is followed.
struct Followed<'a> {
    cluster: &'a Cluster,
    scene: &'a Scene,
    work: Work<'a>,
    name: JobName,
    lines: Option<Lines>,
    documents: Vec<StepDocument>,
    /// What it waits for, and since when.
    pause: Option<(Pause, Instant)>,
    /// Whether it was told already.
    is_told: bool,
    is_sent: bool,
}

/// Makes the Job of this attempt and follows it to its end; one that an earlier delivery left is followed in its place.
pub(super) fn run(
    cluster: &Cluster,
    scene: &Scene,
    mut attempt: Attempt<'_>,
    output: &mut dyn FnMut(&str),
) -> anyhow::Result<Finished> {
    let earlier: Vec<Job> = cluster.list(&attempt.selector())?;
    let goes_on = earlier
        .iter()
        .find(|job| !has_failed(job))
        .and_then(|job| job.metadata.name.clone());
    let name = match goes_on {
        Some(name) => {
            output(&format!("an earlier delivery has started Job `{name}`"));
            JobName::from(name)
        }
        None => {
            make_room(cluster, attempt.step.name, scene.settings.limits.stop_max)?;
            attempt.number = 1 + earlier.iter().filter_map(number).max().unwrap_or(0);
            cluster.create(&scene.job(&attempt))?;
            attempt.name()
        }
    };
    let step = attempt.step;
    let work = Work {
        selector: format!("{}={}", labels::STEP, step.name),
        memory: &scene.resources(step.name).memory,
        hint: memory_hint(step.name),
        receives: scene.receives(step),
    };
    Followed::new(cluster, scene, work, name).follow(output)
}

/// Asks the image which programs it has. The Job goes with its answer.
pub(super) fn look(cluster: &Cluster, scene: &Scene, output: &mut dyn FnMut(&str)) -> anyhow::Result<Finished> {
    let job = scene.look(time::now_ms());
    cluster.create(&job)?;
    let name = job["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let work = Work {
        selector: format!("app.kubernetes.io/component={LOOK}"),
        memory: &scene.settings.kubernetes.step.memory,
        hint: STEP_HINT,
        receives: false,
    };
    let finished = Followed::new(cluster, scene, work, JobName::from(name)).follow(output)?;
    cluster.delete(&job)?;
    Ok(finished)
}

/// Waits until no pod of an earlier attempt is left: what it leaves must not come after ours.
fn make_room(cluster: &Cluster, step: StepName, stop_max: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + stop_max + SETTLE;
    loop {
        let pods: Vec<Pod> = cluster.list(&format!("{}={step}", labels::STEP))?;
        if pods.iter().all(pod::is_over) || cluster.interrupt().is_set() {
            return Ok(());
        }
        if Instant::now() >= end {
            anyhow::bail!("a pod of an earlier delivery does not end");
        }
        cluster.interrupt().pause(LOOK_EVERY);
    }
}

impl<'a> Followed<'a> {
    fn new(cluster: &'a Cluster, scene: &'a Scene, work: Work<'a>, name: JobName) -> Self {
        Self {
            cluster,
            scene,
            work,
            name,
            lines: None,
            documents: Vec::new(),
            pause: None,
            is_told: false,
            is_sent: false,
        }
    }

    fn follow(mut self, output: &mut dyn FnMut(&str)) -> anyhow::Result<Finished> {
        loop {
            self.show(output);
            if self.cluster.interrupt().is_set() {
                self.stop(output)?;
                return Ok(self.finished(Ended::Interrupted, None, output));
            }
            let Some(job) = self.cluster.find::<Job>(&self.name.to_string())? else {
                output(&format!("somebody deleted Job `{}`", self.name));
                return Ok(self.finished(Ended::Code(exit::TEMPORARY), None, output));
            };
            match pod::view(self.cluster, &job, &self.work.memory.to_string(), self.work.hint)? {
                View::Waits(pause) => self.wait(pause, output)?,
                View::Runs(pod) => {
                    self.pause = None;
                    self.lines.get_or_insert_with(|| Lines::follow(self.cluster, &pod));
                    if self.work.receives && !self.is_sent {
                        self.is_sent = source::send(self.cluster, self.scene, &pod);
                    }
                }
                View::Lost(message) => {
                    output(&message);
                    return Ok(self.finished(Ended::Code(exit::TEMPORARY), None, output));
                }
                View::TimedOut => {
                    let limit = self.scene.settings.limits.task_max;
                    return Ok(self.finished(Ended::TimedOut(limit), None, output));
                }
                View::Ended { pod, ended, report } => {
                    // A quick pod ends before anybody has seen it run.
                    self.lines.get_or_insert_with(|| Lines::follow(self.cluster, &pod));
                    if ended != Ended::Code(exit::DONE) {
                        self.settle()?;
                    }
                    return Ok(self.finished(ended, report, output));
                }
                View::Failed { pod, trouble } => {
                    self.lines.get_or_insert_with(|| Lines::follow(self.cluster, &pod));
                    self.finished(Ended::Code(exit::NO), None, output);
                    self.settle()?;
                    return Err(trouble.into());
                }
            }
        }
    }

    /// Hands on what the step writes for a moment, or just waits for that long.
    fn show(&mut self, output: &mut dyn FnMut(&str)) {
        let documents = &mut self.documents;
        match &mut self.lines {
            Some(lines) => lines.show(self.cluster, LOOK_EVERY, &mut sorted(documents, output)),
            None => self.cluster.interrupt().pause(LOOK_EVERY),
        }
    }

    /// Tells within seconds what the step waits for, and gives up what waiting does not mend.
    fn wait(&mut self, pause: Option<Pause>, output: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        let Some(pause) = pause else {
            self.pause = None;
            return Ok(());
        };
        let since = match &self.pause {
            Some((before, since)) if before.is_like(&pause) => *since,
            _ => Instant::now(),
        };
        let waited = since.elapsed();
        if waited >= pause.tell_after() && !self.is_told {
            output(&format!("waits: {}", pause.trouble()));
            output(&format!("hint: {}", pause.trouble().hint()));
            self.is_told = true;
        }
        if waited >= pause.wait_max(self.scene.settings.limits.ready_max) {
            self.remove()?;
            return Err(pause.trouble().clone().into());
        }
        self.pause = Some((pause, since));
        Ok(())
    }

    /// Removes the Job, and shows what its program writes while it ends.
    fn stop(&mut self, output: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        self.remove()?;
        let end = Instant::now() + self.scene.settings.limits.stop_max + SETTLE;
        while Instant::now() < end {
            let pods: Vec<Pod> = self.cluster.list(&self.work.selector)?;
            if pods.iter().all(pod::is_over) {
                break;
            }
            self.show(output);
            // The pause that an interrupt cuts short is none.
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits until the cluster knows that the Job has failed: whoever looks next must not take it for one that goes on.
    fn settle(&self) -> anyhow::Result<()> {
        let end = Instant::now() + SETTLE;
        while Instant::now() < end {
            let job = self.cluster.find::<Job>(&self.name.to_string())?;
            if job.as_ref().is_none_or(has_failed) {
                return Ok(());
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn remove(&self) -> anyhow::Result<bool> {
        let metadata = json!({"name": self.name.to_string()});
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata});
        self.cluster.delete(&job)
    }

    /// Hands on the rest of the lines.
    fn finished(&mut self, ended: Ended, report: Option<StepReport>, output: &mut dyn FnMut(&str)) -> Finished {
        if let Some(lines) = self.lines.take() {
            lines.finish(self.cluster, &mut sorted(&mut self.documents, output));
        }
        if let Some(peak) = report.as_ref().and_then(|report| report.memory_peak_bytes) {
            let limit = self.work.memory;
            output(&format!(
                "took {} MiB of memory at most, of {limit}",
                peak.div_ceil(1 << 20)
            ));
        }
        Finished {
            ended,
            report,
            documents: std::mem::take(&mut self.documents),
        }
    }
}

/// Keeps the lines that are documents, and hands on the others.
fn sorted<'a>(documents: &'a mut Vec<StepDocument>, output: &'a mut dyn FnMut(&str)) -> impl FnMut(&str) + 'a {
    move |line| match StepDocument::of_line(line) {
        Some(document) => documents.push(document),
        None => output(line),
    }
}

fn memory_hint(step: StepName) -> &'static str {
    match step {
        StepName::Train => "raise the key `kubernetes.training_memory` of `pipeline.yaml`",
        _ => STEP_HINT,
    }
}

fn has_failed(job: &Job) -> bool {
    pod::condition(job, "Failed").is_some()
}

/// The number of the attempt, which is the end of its name.
fn number(job: &Job) -> Option<u32> {
    job.metadata.name.as_ref()?.rsplit('-').next()?.parse().ok()
}
