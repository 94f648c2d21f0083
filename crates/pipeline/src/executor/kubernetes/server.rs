//! The server's Deployment: how it is, and how it becomes what it should be.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use formats::{api::ApplicationState, application::ApplicationRevision};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ContainerStateTerminated, Pod},
};
use kube::api::{Api, LogParams};

use super::{
    cluster::{Cluster, Conflicts},
    forward::{Forward, Target},
    lines::Lines,
    objects::{KEY_ANNOTATION, Scene, names},
    pod,
    trouble::Trouble,
};
use crate::{
    client::{Client, LOOK_MAX},
    decide::{Key, Service},
};

/// The labels of its pods.
pub(crate) const PODS: &str = "app.kubernetes.io/name=slipway,app.kubernetes.io/component=server";
/// How often we look how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How often a pod may end before it is given up.
const RESTARTS_MAX: i32 = 1;
/// How many of a dead server's last lines are shown.
const LAST_LINES: i64 = 10;

/// The Deployment, and what it was started with.
pub(crate) fn inspect(cluster: &Cluster) -> anyhow::Result<Service> {
    let Some(deployment) = cluster.find::<Deployment>(names::SERVER)? else {
        return Ok(Service::Stopped);
    };
    let annotations = deployment.metadata.annotations.as_ref();
    // One without a key, or with one of another build, was started with something else.
    let key = annotations.and_then(|all| serde_json::from_str(all.get(KEY_ANNOTATION)?).ok());
    Ok(Service::Running {
        key: key.unwrap_or_default(),
        started_at_ms: since_ms(&deployment),
        id: format!("Deployment `{}`", names::SERVER),
        is_ready: is_rolled_out(&deployment),
    })
}

/// Makes the Deployment what it should be, and waits until only pods of it answer. `false` where we were stopped.
pub(super) fn start(cluster: &Cluster, scene: &Scene, key: &Key, conflicts: Conflicts) -> anyhow::Result<bool> {
    cluster.apply(&scene.deployment(key), conflicts)?;
    let ready_max = scene.settings.limits.ready_max;
    let pods = u32::from(scene.settings.kubernetes.replicas.get());
    // One pod after the other, each with its own time.
    let end = Instant::now() + ready_max * pods;
    let mut pause: Option<(pod::Pause, Instant)> = None;
    let mut is_told = false;
    loop {
        if cluster.interrupt().is_set() {
            return Ok(false);
        }
        let deployment = cluster.find::<Deployment>(names::SERVER)?;
        let deployment = deployment.context("somebody deleted the server's Deployment")?;
        if is_rolled_out(&deployment) {
            return Ok(true);
        }
        let found = trouble(cluster, scene)?;
        pause = match (found, pause) {
            (Some(found), Some((before, since))) if found.is_like(&before) => {
                if since.elapsed() >= found.wait_max(ready_max) {
                    return Err(found.trouble().clone().into());
                }
                if since.elapsed() >= found.tell_after() && !is_told {
                    let trouble = found.trouble();
                    console::say(&format!(
                        "serve    | waits: {trouble}\nserve    | hint: {}",
                        trouble.hint()
                    ));
                    is_told = true;
                }
                Some((found, since))
            }
            (found, _) => found.map(|found| (found, Instant::now())),
        };
        if Instant::now() >= end {
            let limit = ready_max.as_secs() * u64::from(pods);
            bail!("the server is not ready after {limit} s (key `limits.ready_seconds`, for each pod)");
        }
        cluster.interrupt().pause(LOOK_EVERY);
    }
}

/// Waits until every pod answers with this revision: each looks for it by itself, a moment later.
pub(super) fn settle(cluster: &Cluster, scene: &Scene, deployed: &ApplicationRevision) -> anyhow::Result<()> {
    let end = Instant::now() + scene.settings.limits.ready_max;
    for pod in ready(cluster)? {
        let forward = Forward::open(cluster, Target::Pod(pod.clone()), 0)?;
        let client = client(cluster, &forward)?;
        loop {
            let applications = client.get::<Vec<ApplicationState>>("/api/applications");
            let answers = applications
                .iter()
                .flatten()
                .filter_map(|application| application.answers.as_ref());
            let is_there = |answer: &ApplicationRevision| {
                answer.application.name == deployed.application.name && answer.revision >= deployed.revision
            };
            if answers.clone().any(is_there) {
                break;
            }
            if Instant::now() >= end || cluster.interrupt().is_set() {
                bail!("pod `{pod}` does not answer with revision {}", deployed.revision);
            }
            cluster.interrupt().pause(LOOK_EVERY);
        }
    }
    Ok(())
}

/// Hands on what the pods write, each line behind the name of its pod; with `follow` until we are stopped.
pub(crate) fn follow_logs(cluster: &Cluster, follow: bool, output: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
    let mut followed: Vec<(String, Lines)> = Vec::new();
    loop {
        let pods: Vec<Pod> = cluster.list(PODS)?;
        if pods.is_empty() && !follow {
            bail!("the server does not run in namespace `{}`", cluster.namespace());
        }
        let names: Vec<String> = pods.into_iter().filter_map(|pod| pod.metadata.name).collect();
        followed.retain(|(name, _)| names.contains(name));
        for name in names {
            if followed.iter().all(|(other, _)| *other != name) {
                let lines = Lines::follow(cluster, &name);
                followed.push((name, lines));
            }
        }
        if !follow {
            for (name, lines) in followed {
                lines.finish(cluster, &mut |line| output(&format!("{name} | {line}")));
            }
            return Ok(());
        }
        for (name, lines) in &mut followed {
            lines.show(cluster, LOOK_EVERY, &mut |line| output(&format!("{name} | {line}")));
        }
        if cluster.interrupt().is_set() {
            return Ok(());
        }
        cluster.interrupt().pause(LOOK_EVERY);
    }
}

/// A client of the server behind a forwarded port, with what opens its management.
pub(crate) fn client(cluster: &Cluster, forward: &Forward) -> anyhow::Result<Client> {
    let token = super::token::read(cluster)?;
    Ok(Client::new(forward.url(), LOOK_MAX).with_token(token))
}

/// The names of the pods that answer.
pub(crate) fn ready(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let pods: Vec<Pod> = cluster.list(PODS)?;
    let ready = pods.into_iter().filter(is_ready);
    Ok(ready.filter_map(|pod| pod.metadata.name).collect())
}

/// Whether a pod answers, and is not about to end.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready" && condition.status == "True");
    ready.next().is_some() && pod.metadata.deletion_timestamp.is_none()
}

/// Whether all pods are those of the newest template, and ready, and no older one is left.
fn is_rolled_out(deployment: &Deployment) -> bool {
    let Some(status) = &deployment.status else { return false };
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let counts = [status.replicas, status.updated_replicas, status.available_replicas];
    status.observed_generation == deployment.metadata.generation
        && counts.iter().all(|count| count.unwrap_or(0) == wanted)
}

fn since_ms(deployment: &Deployment) -> u64 {
    let conditions = deployment
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    let mut progress = conditions.filter(|condition| condition.type_ == "Progressing");
    let at = progress
        .next()
        .and_then(|condition| condition.last_update_time.as_ref());
    at.and_then(|at| u64::try_from(at.0.as_millisecond()).ok()).unwrap_or(0)
}

/// What keeps the newest pod from getting ready.
fn trouble(cluster: &Cluster, scene: &Scene) -> anyhow::Result<Option<pod::Pause>> {
    let mut pods: Vec<Pod> = cluster.list(PODS)?;
    pods.retain(|pod| pod.metadata.deletion_timestamp.is_none() && !is_ready(pod));
    for pod in &pods {
        let status = pod
            .status
            .as_ref()
            .and_then(|status| status.container_statuses.as_ref()?.first());
        let last = status.filter(|status| status.restart_count >= RESTARTS_MAX);
        if let Some(ended) = last.and_then(|status| status.last_state.as_ref()?.terminated.as_ref()) {
            return Err(crash(cluster, scene, pod, ended).into());
        }
        if let Some(pause) = pod::waits(pod, || pod::claims(cluster))? {
            return Ok(Some(pause));
        }
    }
    Ok(None)
}

fn crash(cluster: &Cluster, scene: &Scene, pod: &Pod, ended: &ContainerStateTerminated) -> Trouble {
    if ended.reason.as_deref() == Some("OOMKilled") {
        return Trouble::Memory {
            limit: scene.settings.kubernetes.server.memory.to_string(),
            hint: "raise the key `kubernetes.server_memory` of `pipeline.yaml`",
        };
    }
    let api: Api<Pod> = cluster.api();
    let parameters = LogParams {
        previous: true,
        tail_lines: Some(LAST_LINES),
        ..LogParams::default()
    };
    let name = pod.metadata.name.clone().unwrap_or_default();
    let lines = cluster.ask(|| api.logs(&name, &parameters)).unwrap_or_default();
    Trouble::Crash {
        last_lines: match lines.trim_end() {
            "" => "; it wrote nothing".to_owned(),
            lines => format!("; the end of what it wrote:\n{lines}"),
        },
    }
}
