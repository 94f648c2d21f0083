//! Who may talk to whom.

use serde_json::{Value, json};

use super::{LOOK, Scene, names, selector};
use crate::{places::SERVER_PORT, plan::StepName};

impl Scene {
    /// Nobody talks to anybody, but: everybody to the server, the server to a bucket that is its registry, steps to the
    /// server and to the cluster's names, and the step that fetches the data set to the world.
    pub(super) fn networks(&self) -> [Value; 3] {
        let to_sources = json!({"ports": [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 80}]});
        let tasks = StepName::ALL.iter().filter(|step| **step != StepName::Serve);
        let components: Vec<&str> = tasks.map(|step| step.as_str()).chain([LOOK]).collect();
        let mut server = json!({
            "podSelector": {"matchLabels": selector("server")},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": SERVER_PORT}]}],
        });
        if let Some(to_bucket) = self.bucket_egress() {
            server["egress"] = json!([to_names(), to_bucket]);
        }
        let steps = json!({
            "podSelector": {
                "matchLabels": {"app.kubernetes.io/name": "slipway"},
                "matchExpressions": [{
                    "key": "app.kubernetes.io/component",
                    "operator": "In",
                    "values": components,
                }],
            },
            "policyTypes": ["Ingress", "Egress"],
            "egress": [to_names(), to_server()],
        });
        let download = json!({
            "podSelector": {"matchLabels": selector(StepName::Download.as_str())},
            "policyTypes": ["Egress"],
            "egress": [to_sources],
        });
        [
            self.policy(names::SERVER, server),
            self.policy(names::STEPS, steps),
            self.policy(names::DOWNLOAD, download),
        ]
    }

    pub(super) fn policy(&self, name: &str, spec: Value) -> Value {
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": self.metadata(name, "delivery"),
            "spec": spec,
        })
    }
}

/// To whoever tells addresses by names.
pub(super) fn to_names() -> Value {
    json!({"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]})
}

pub(super) fn to_server() -> Value {
    json!({
        "to": [{"podSelector": {"matchLabels": selector("server")}}],
        "ports": [{"protocol": "TCP", "port": SERVER_PORT}],
    })
}
