//! The end of a delivery in a cluster: everything that it made is removed.

use std::time::{Duration, Instant};

use anyhow::bail;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Namespace, Pod},
};
use serde_json::{Value, json};

use super::{
    cluster::Cluster,
    objects::{Scene, labels, names},
};

/// How often we look whether they are gone.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// What outlives the removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    /// The volumes, and what is known of them.
    Data,
}

/// Removes what deliveries made in the namespace, waits for the end of its pods, and returns how many objects there were.
///
/// The namespace goes with it where a delivery made it.
pub(crate) fn remove(cluster: &Cluster, keep: Keep, limit: Duration) -> anyhow::Result<usize> {
    let mut n_removed = 0;
    for job in cluster.list::<Job>(labels::OURS)? {
        let name = job.metadata.name.unwrap_or_default();
        n_removed += usize::from(cluster.delete(&object("batch/v1", "Job", &name))?);
    }
    let retraining = retraining(cluster)?;
    for object in retraining.into_iter().chain(objects(keep)) {
        n_removed += usize::from(cluster.delete(&object)?);
    }
    let end = Instant::now() + limit;
    // A claim goes when no pod has it any more, and a namespace is quick to go when it is empty.
    while !cluster.list::<Pod>(labels::OURS)?.is_empty() {
        if Instant::now() >= end {
            bail!("the pods in namespace `{}` do not end", cluster.namespace());
        }
        cluster.interrupt().pause(LOOK_EVERY);
    }
    if keep == Keep::Nothing {
        n_removed += usize::from(remove_namespace(cluster, end)?);
    }
    Ok(n_removed)
}

/// What stands there and is not asked for any more.
pub(super) fn unwanted(cluster: &Cluster, scene: &Scene) -> anyhow::Result<Vec<Value>> {
    let settings = &scene.settings.kubernetes;
    let mut unwanted = Vec::new();
    if settings.replicas_max.is_none() {
        let scaler = object("autoscaling/v2", "HorizontalPodAutoscaler", names::SERVER);
        unwanted.extend(cluster.live(&scaler)?.map(|_| scaler));
    }
    if settings.retraining_schedule.is_none() {
        unwanted.extend(retraining(cluster)?);
    }
    Ok(unwanted)
}

/// What delivers on a schedule. Where there is nothing of it, nobody needs the right to touch a role; so the CronJob, by
/// which that is known, goes last.
fn retraining(cluster: &Cluster) -> anyhow::Result<Vec<Value>> {
    let cron_job = object("batch/v1", "CronJob", names::RETRAINING);
    if cluster.live(&cron_job)?.is_none() {
        return Ok(Vec::new());
    }
    let others = [
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("v1", "ServiceAccount"),
    ];
    let others = others.map(|(version, kind)| object(version, kind, names::RETRAINING));
    Ok(others.into_iter().chain([cron_job]).collect())
}

/// Everything with a fixed name, doors first.
fn objects(keep: Keep) -> Vec<Value> {
    let server = [
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("policy/v1", "PodDisruptionBudget"),
        ("v1", "Service"),
        ("apps/v1", "Deployment"),
        ("v1", "ServiceAccount"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
    ];
    let server = server.map(|(version, kind)| object(version, kind, names::SERVER));
    let rest = [
        object("v1", "ServiceAccount", names::STEPS),
        object("networking.k8s.io/v1", "NetworkPolicy", names::STEPS),
        object("networking.k8s.io/v1", "NetworkPolicy", names::DOWNLOAD),
        object("v1", "ConfigMap", names::PROJECT),
        object("v1", "Secret", names::API_KEYS),
        object("v1", "Secret", names::MANAGEMENT),
    ];
    let data = [
        object("v1", "ConfigMap", names::STATE),
        object("v1", "PersistentVolumeClaim", names::WORK),
        object("v1", "PersistentVolumeClaim", names::REGISTRY),
    ];
    let data = data.into_iter().filter(|_| keep == Keep::Nothing);
    server.into_iter().chain(rest).chain(data).collect()
}

/// Removes the namespace, unless somebody else made it.
fn remove_namespace(cluster: &Cluster, end: Instant) -> anyhow::Result<bool> {
    let namespace = Scene::namespace(cluster.namespace());
    let is_ours = |live: &Namespace| {
        let labels = live.metadata.labels.as_ref();
        labels.is_some_and(|labels| {
            labels
                .get("app.kubernetes.io/name")
                .is_some_and(|name| name == "slipway")
        })
    };
    let live = |cluster: &Cluster| -> anyhow::Result<Option<Namespace>> {
        let live = cluster.live(&namespace)?;
        Ok(live
            .map(|live| serde_json::from_value(serde_json::to_value(live)?))
            .transpose()?)
    };
    if !live(cluster)?.as_ref().is_some_and(is_ours) {
        return Ok(false);
    }
    cluster.delete(&namespace)?;
    while live(cluster)?.is_some() {
        if Instant::now() >= end {
            bail!("namespace `{}` does not go", cluster.namespace());
        }
        cluster.interrupt().pause(LOOK_EVERY);
    }
    Ok(true)
}

fn object(version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}})
}
