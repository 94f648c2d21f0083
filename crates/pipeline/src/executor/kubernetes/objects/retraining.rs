//! Deliveries from inside of the cluster, on a schedule: the pipeline itself as a CronJob, and what it may do there.

use std::path::{Component, Path, PathBuf};

use anyhow::bail;
use serde_json::{Value, json};

use super::{
    API_KEYS_KEY, Inside, KEPT, Scene, names,
    network::{to_names, to_server},
};
use crate::{
    places::IN_POD,
    plan::{Kind, Place},
    settings::{Schedule, Settings},
};

/// The key of the settings among what the user wrote.
pub(super) const SETTINGS_KEY: &str = "pipeline.yaml";
/// The component of its pods.
const COMPONENT: &str = "retraining";
/// How often one is begun anew that ended for a reason that may pass.
const ATTEMPTS: u32 = 3;
/// How many that ended are there to be looked at, of good ones and of bad ones.
const HISTORY: u32 = 3;
/// How late one may begin, in seconds, before it is left out.
const LATE_MAX: u32 = 3600;

/// What the user wrote, with the places that it has in a pod: those that it has on this machine, seen from its folder.
#[derive(Debug, Clone)]
pub(super) struct Retraining {
    /// The text of the settings.
    pub(super) settings: String,
    application: PathBuf,
    api_keys_file: Option<PathBuf>,
}

impl Retraining {
    /// Nobody in the cluster has a folder of this machine, so everything must lie beside the settings or below them.
    pub(super) fn new(settings: &Settings, text: String) -> anyhow::Result<Self> {
        let files = [
            (Some(&settings.application), "application"),
            (settings.server.api_keys_file.as_ref(), "server.api_keys_file"),
        ];
        for (file, key) in files {
            if let Some(file) = file.filter(|file| !is_below(file)) {
                bail!(
                    "`{}` (key `{key}`) does not lie below the folder of the settings, where a retraining in the cluster \
                     (key `kubernetes.retraining_schedule`) looks for it",
                    file.display()
                );
            }
        }
        match &settings.data.source {
            Some(source) if !source.contains("://") => bail!(
                "the data set comes from `{source}` (key `data.source`), where a retraining in the cluster (key \
                 `kubernetes.retraining_schedule`) cannot look for it"
            ),
            _ => Ok(Self {
                settings: text,
                application: settings.application.clone(),
                api_keys_file: settings.server.api_keys_file.clone(),
            }),
        }
    }
}

impl Scene {
    /// Everything that delivers on a schedule, where there is one; the CronJob is the last.
    pub(super) fn retraining(&self) -> Vec<Value> {
        let (Some(retraining), Some(schedule)) = (&self.retraining, &self.settings.kubernetes.retraining_schedule)
        else {
            return Vec::new();
        };
        vec![
            self.account(names::RETRAINING),
            self.role(),
            self.role_binding(),
            self.retraining_network(),
            self.cron_job(retraining, schedule),
        ]
    }

    /// What a delivery asks of the cluster once everything stands. Jobs and their pods have new names each time; all else
    /// is named. Nothing that stands is changed but the server, no secret is listed, and no pod is entered.
    fn role(&self) -> Value {
        let rule = |group: &str, resource: &str, verbs: &[&str]| json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
        let named = |group: &str, resource: &str, names: &[&str], verbs: &[&str]| {
            let mut rule = rule(group, resource, verbs);
            rule["resourceNames"] = json!(names);
            rule
        };
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": self.metadata(names::RETRAINING, COMPONENT),
            "rules": [
                rule("batch", "jobs", &["create", "delete", "get", "list"]),
                rule("", "pods", &["list"]),
                rule("", "pods/log", &["get"]),
                rule("", "events", &["list"]),
                // What is to be made has no name yet, as far as rules go.
                rule("coordination.k8s.io", "leases", &["create"]),
                named("coordination.k8s.io", "leases", &[names::DELIVERY], &["delete", "get", "update"]),
                named("", "configmaps", &[names::STATE], &["create", "get", "patch"]),
                named("", "secrets", &[names::MANAGEMENT], &["get"]),
                named("", "persistentvolumeclaims", &[names::WORK, names::REGISTRY], &["get"]),
                named("", "services", &[names::SERVER], &["get"]),
                named("apps", "deployments", &[names::SERVER], &["create", "get", "patch"]),
            ],
        })
    }

    fn role_binding(&self) -> Value {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": self.metadata(names::RETRAINING, COMPONENT),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": names::RETRAINING},
            "subjects": [{"kind": "ServiceAccount", "name": names::RETRAINING, "namespace": self.namespace}],
        })
    }

    /// To the API server, whose address nobody knows beforehand, and to the server's pods.
    fn retraining_network(&self) -> Value {
        let to_cluster = json!({"ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}]});
        self.policy(
            names::RETRAINING,
            json!({
                "podSelector": {"matchLabels": super::selector(COMPONENT)},
                "policyTypes": ["Ingress", "Egress"],
                "egress": [to_names(), to_server(), to_cluster],
            }),
        )
    }

    fn cron_job(&self, retraining: &Retraining, schedule: &Schedule) -> Value {
        let limits = &self.settings.limits;
        let n_tasks = self.plan.steps.iter().filter(|step| step.kind == Kind::Task).count() as u64;
        let labels = self.labels(COMPONENT);
        json!({
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": self.metadata(names::RETRAINING, COMPONENT),
            "spec": {
                "schedule": schedule.to_string(),
                "timeZone": "Etc/UTC",
                // Two at once would wait for each other.
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": LATE_MAX,
                "successfulJobsHistoryLimit": HISTORY,
                "failedJobsHistoryLimit": HISTORY,
                "jobTemplate": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "backoffLimit": ATTEMPTS,
                        // Each step has all of its time.
                        "activeDeadlineSeconds": limits.task_max.as_secs() * n_tasks,
                        "ttlSecondsAfterFinished": KEPT.as_secs(),
                        // One that had to make room begins anew, and so does one that failed for a reason that may pass.
                        "podFailurePolicy": {"rules": [
                            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                            {
                                "action": "FailJob",
                                "onExitCodes": {"operator": "NotIn", "values": [console::exit::TEMPORARY]},
                            },
                        ]},
                        "template": {"metadata": {"labels": labels}, "spec": self.retraining_pod(retraining)},
                    },
                },
            },
        })
    }

    fn retraining_pod(&self, retraining: &Retraining) -> Value {
        let folder = format!("{IN_POD}/{}", Place::Project.as_str());
        let config = format!("{folder}/{SETTINGS_KEY}");
        let command = [
            "pipeline",
            "up",
            "--retrain",
            "--config",
            &config,
            "--target",
            "kubernetes",
        ];
        let target = ["--namespace", "$(NAMESPACE)", "--image", &self.image];
        let mut pod = self.bare_pod(Inside {
            name: COMPONENT.to_owned(),
            command: command.into_iter().chain(target).map(str::to_owned).collect(),
            more: json!({
                "env": [{"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
                "volumeMounts": [
                    {"name": "project", "mountPath": folder, "readOnly": true},
                    // What steps write is kept here while they run.
                    {"name": "runs", "mountPath": format!("{folder}/.pipeline")},
                ],
            }),
            resources: self.settings.kubernetes.step.clone(),
            account: names::RETRAINING,
            grace_seconds: self.settings.limits.stop_max.as_secs() + 15,
        });
        let mut sources = vec![json!({"configMap": {"name": names::PROJECT, "items": [
            {"key": SETTINGS_KEY, "path": SETTINGS_KEY},
            {"key": self.manifest_name(), "path": retraining.application},
        ]}})];
        sources.extend(
            retraining.api_keys_file.as_ref().map(
                |path| json!({"secret": {"name": names::API_KEYS, "items": [{"key": API_KEYS_KEY, "path": path}]}}),
            ),
        );
        pod["volumes"] = json!([
            {"name": "project", "projected": {"sources": sources, "defaultMode": 0o440}},
            {"name": "runs", "emptyDir": {"sizeLimit": "128Mi"}},
        ]);
        // The only pod of ours that asks the cluster for anything.
        pod["automountServiceAccountToken"] = json!(true);
        pod["restartPolicy"] = json!("Never");
        pod
    }
}

fn is_below(path: &Path) -> bool {
    path.components()
        .all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
}
