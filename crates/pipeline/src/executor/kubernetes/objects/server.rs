//! The server as a Deployment, and what stands around it.

use serde_json::{Value, json};

use super::{Inside, KEY_ANNOTATION, Scene, names, selector};
use crate::{decide::Key, places::SERVER_PORT, plan::StepName};

/// Longer than the server may take to its end (`--drain-max-ms`), after which it is killed.
const GRACE_SECONDS: u64 = 15;
/// Use of the promised CPU, in percent, beyond which there are more pods.
const CPU_PERCENT: u32 = 70;

impl Scene {
    /// The pods that answer. None of them goes before another is ready in its place.
    pub(crate) fn deployment(&self, key: &Key) -> Value {
        let step = self.step(StepName::Serve);
        let settings = &self.settings.kubernetes;
        let mut more = json!({
            "ports": [{"name": "http", "containerPort": SERVER_PORT}],
            "startupProbe": probe("/livez", 1, 30),
            "readinessProbe": probe("/readyz", 2, 2),
            "livenessProbe": probe("/livez", 10, 3),
        });
        let environment = self.bucket_environment();
        if !environment.is_empty() {
            more["env"] = json!(environment);
        }
        let inside = Inside {
            name: "server".to_owned(),
            command: self.program(step, ""),
            more,
            resources: settings.server.clone(),
            account: names::SERVER,
            grace_seconds: GRACE_SECONDS,
        };
        let mut pod = self.pod(step, inside);
        pod["topologySpreadConstraints"] = json!([{
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector("server")},
        }]);
        let mut metadata = self.metadata(names::SERVER, "server");
        let key = serde_json::to_string(key).expect("a key has text as keys");
        metadata["annotations"] = json!({KEY_ANNOTATION: key});
        let mut deployment = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "revisionHistoryLimit": 2,
                "progressDeadlineSeconds": self.settings.limits.ready_max.as_secs().max(60),
                "selector": {"matchLabels": selector("server")},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {"metadata": {"labels": self.labels("server")}, "spec": pod},
            },
        });
        // Where load decides how many there are, we must not.
        if settings.replicas_max.is_none() {
            deployment["spec"]["replicas"] = json!(settings.replicas);
        }
        deployment
    }

    pub(super) fn service(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.metadata(names::SERVER, "server"),
            "spec": {
                "selector": selector("server"),
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
        })
    }

    /// Whoever empties a node takes one pod after another.
    pub(super) fn disruption_budget(&self) -> Value {
        json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": self.metadata(names::SERVER, "server"),
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector("server")}},
        })
    }

    pub(super) fn autoscaler(&self) -> Option<Value> {
        let settings = &self.settings.kubernetes;
        let replicas_max = settings.replicas_max?;
        let target = json!({"type": "Utilization", "averageUtilization": CPU_PERCENT});
        Some(json!({
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": self.metadata(names::SERVER, "server"),
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names::SERVER},
                "minReplicas": settings.replicas,
                "maxReplicas": replicas_max,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            },
        }))
    }
}

fn probe(path: &str, period_seconds: u32, failures: u32) -> Value {
    json!({
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    })
}
