//! How far the pod of a Job is, from what the cluster tells: its status, and the events about it.

use std::time::Duration;

use console::exit;
use k8s_openapi::api::{
    batch::v1::{Job, JobCondition},
    core::v1::{ContainerState, Event, PersistentVolumeClaim, Pod},
};
use kube::api::{Api, ListParams};

use super::{
    cluster::Cluster,
    objects::names,
    trouble::{Trouble, is_about_volumes},
};
use crate::{executor::Ended, report::StepReport};

/// How far a Job is.
pub(super) enum View {
    /// Nothing runs yet; where there is a reason, for this one.
    Waits(Option<Pause>),
    /// The program runs in the pod of this name.
    Runs(String),
    /// The program has ended.
    Ended {
        pod: String,
        ended: Ended,
        report: Option<StepReport>,
    },
    /// The pod is gone for a reason that is not its own: another attempt is worth it.
    Lost(String),
    /// The program took longer than it may.
    TimedOut,
    /// Another attempt would end like this one.
    Failed { pod: String, trouble: Trouble },
}

/// Why nothing runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pause(Trouble);

impl Pause {
    pub(super) fn trouble(&self) -> &Trouble {
        &self.0
    }

    /// Whether the reason is of the same kind: its words change while it lasts.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(&self.0) == std::mem::discriminant(&other.0)
    }

    /// How long it may last before somebody should know: a cluster needs a moment to look around.
    pub(super) fn tell_after(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// How long it may last at all. A node may come or be freed; the rest only a person mends.
    pub(super) fn wait_max(&self, ready_max: Duration) -> Duration {
        match self.0 {
            Trouble::Unschedulable { .. } => ready_max,
            _ => Duration::from_secs(5),
        }
    }
}

/// How far the Job is now.
pub(super) fn view(cluster: &Cluster, job: &Job, limit: &str, hint: &'static str) -> anyhow::Result<View> {
    let uid = job.metadata.uid.as_deref().unwrap_or_default();
    let pods: Vec<Pod> = cluster.list(&format!("batch.kubernetes.io/controller-uid={uid}"))?;
    let leaving = |pod: &&Pod| pod.metadata.deletion_timestamp.is_some();
    let failed = condition(job, "Failed");
    if failed.is_some_and(|failed| failed.reason.as_deref() == Some("DeadlineExceeded")) {
        return Ok(View::TimedOut);
    }
    let Some(pod) = pods.iter().find(|pod| !leaving(pod)) else {
        return Ok(match (failed, pods.is_empty()) {
            (Some(failed), _) => View::Lost(lost(failed.message.as_deref())),
            (None, true) => View::Waits(no_pod(cluster, uid)?),
            // It goes, and its Job will tell why.
            (None, false) => View::Waits(None),
        });
    };
    let name = pod.metadata.name.clone().unwrap_or_default();
    if let Some(view) = over(pod, &name, limit, hint) {
        return Ok(view);
    }
    let state = container(pod);
    if state.is_some_and(|state| state.running.is_some()) {
        return Ok(View::Runs(name));
    }
    Ok(View::Waits(waits(pod, || claims(cluster))?))
}

/// The condition of this kind, where it holds.
pub(super) fn condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions
        .iter()
        .find(|condition| condition.type_ == kind && condition.status == "True")
}

/// Whether nothing of the pod runs any more.
pub(super) fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// How a pod ended, if it has: a pure function of its status.
fn over(pod: &Pod, name: &str, limit: &str, hint: &'static str) -> Option<View> {
    let status = pod.status.as_ref()?;
    let disrupted = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "DisruptionTarget");
    let ended = container(pod).and_then(|state| state.terminated.as_ref());
    if is_over(pod) && (disrupted.is_some() || status.reason.as_deref() == Some("Evicted") || ended.is_none()) {
        let why = status.message.as_deref().or_else(|| disrupted?.message.as_deref());
        return Some(View::Lost(lost(why)));
    }
    let ended = ended?;
    let report: Option<StepReport> = ended
        .message
        .as_ref()
        .and_then(|message| serde_json::from_str(message).ok());
    let is_killed = ended.reason.as_deref() == Some("OOMKilled")
        || (ended.exit_code != 0 && report.as_ref().is_some_and(|report| report.is_killed_for_memory));
    if is_killed {
        let trouble = Trouble::Memory {
            limit: limit.to_owned(),
            hint,
        };
        return Some(View::Failed {
            pod: name.to_owned(),
            trouble,
        });
    }
    match u8::try_from(ended.exit_code) {
        // Nobody of us asked it to end: it was told to make room.
        Ok(exit::INTERRUPTED) => Some(View::Lost(lost(Some("it was told to end")))),
        Ok(137) => Some(View::Ended {
            pod: name.to_owned(),
            ended: Ended::Signal(9),
            report,
        }),
        Ok(code) => Some(View::Ended {
            pod: name.to_owned(),
            ended: Ended::Code(code),
            report,
        }),
        Err(_) => Some(View::Lost(lost(ended.message.as_deref()))),
    }
}

/// What keeps a pod from its work: a pure function of its status, and of what the claims say where that matters.
pub(super) fn waits(
    pod: &Pod,
    claims: impl FnOnce() -> anyhow::Result<Option<String>>,
) -> anyhow::Result<Option<Pause>> {
    if let Some(waiting) = container(pod).and_then(|state| state.waiting.as_ref()) {
        let message = waiting.message.clone().unwrap_or_default();
        let trouble = match waiting.reason.as_deref() {
            Some("ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull") => Trouble::Image {
                image: image(pod),
                message,
            },
            Some("CreateContainerConfigError" | "CreateContainerError" | "RunContainerError") => {
                Trouble::Start { message }
            }
            _ => return Ok(None),
        };
        return Ok(Some(Pause(trouble)));
    }
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut unscheduled = conditions
        .filter(|condition| condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("Unschedulable"));
    let Some(condition) = unscheduled.next() else {
        return Ok(None);
    };
    let mut message = condition.message.clone().unwrap_or_default();
    if is_about_volumes(&message) {
        message.extend(claims()?.map(|claims| format!(" ({claims})")));
    }
    Ok(Some(Pause(Trouble::Unschedulable { message })))
}

/// What the events say about claims that wait for a volume.
pub(super) fn claims(cluster: &Cluster) -> anyhow::Result<Option<String>> {
    let mut messages = Vec::new();
    for claim in own_claims(cluster)? {
        let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
        if let (Some("Pending"), Some(uid), Some(name)) = (phase, &claim.metadata.uid, &claim.metadata.name) {
            messages.extend(newest_event(cluster, uid)?.map(|message| format!("claim `{name}`: {message}")));
        }
    }
    Ok((!messages.is_empty()).then(|| messages.join("; ")))
}

/// Our claims, as far as they are there.
pub(super) fn own_claims(cluster: &Cluster) -> kube::Result<Vec<PersistentVolumeClaim>> {
    let claims = [names::WORK, names::REGISTRY].map(|name| cluster.find::<PersistentVolumeClaim>(name).transpose());
    claims.into_iter().flatten().collect()
}

/// Why a Job has no pod: what the newest event about it says.
fn no_pod(cluster: &Cluster, uid: &str) -> anyhow::Result<Option<Pause>> {
    let message = newest_event(cluster, uid)?;
    Ok(message.map(|message| Pause(Trouble::NoPod { message })))
}

/// The message of the newest warning about the object with this id, or of what else was said of it.
fn newest_event(cluster: &Cluster, uid: &str) -> anyhow::Result<Option<String>> {
    let api: Api<Event> = cluster.api();
    let parameters = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
    let mut events = cluster.ask(|| api.list(&parameters))?.items;
    events.sort_by_key(|event| event.metadata.creation_timestamp.clone().map(|time| time.0));
    events.retain(|event| event.reason.as_deref() != Some("SuccessfulCreate"));
    Ok(events.pop().and_then(|event| event.message))
}

fn container(pod: &Pod) -> Option<&ContainerState> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    statuses.first()?.state.as_ref()
}

fn image(pod: &Pod) -> String {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers
        .filter_map(|container| container.image.clone())
        .next()
        .unwrap_or_default()
}

fn lost(why: Option<&str>) -> String {
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    format!("the pod is lost{why}")
}

#[cfg(test)]
mod tests;
