//! A registry in a bucket: what the server's pods need to reach it, in place of a volume.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Scene;
use crate::{
    places::IN_POD,
    plan::StepName,
    settings::{Bucket, Settings},
};

/// The port of Amazon.
const HTTPS: u16 = 443;
/// The volume with the authority of the endpoint's certificate.
pub(crate) const CERTIFICATES: &str = "certificates";
/// The key of its ConfigMap: that of `kube-root-ca.crt`, and of what cert-manager makes.
const AUTHORITY: &str = "ca.crt";

/// Refuses what a server in a pod could not begin with: nothing of this machine's environment is there.
pub(super) fn check(settings: &Settings) -> anyhow::Result<()> {
    let Some(bucket) = settings.server.registry.bucket() else {
        return Ok(());
    };
    settings.kubernetes.registry_credentials.as_ref().with_context(|| {
        format!(
            "the registry `{}` takes credentials in a cluster: expected the name of a secret (key \
             `kubernetes.registry_credentials`), found none",
            bucket.url
        )
    })?;
    ensure!(
        bucket.endpoint.is_some() || bucket.region.is_some(),
        "the registry `{}` is with Amazon: expected a region (key `server.registry_region`), found none",
        bucket.url
    );
    Ok(())
}

impl Scene {
    /// The variables of the server's container: credentials by reference, so that no object of ours holds any.
    pub(super) fn bucket_environment(&self) -> Vec<Value> {
        let bucket = self.settings.server.registry.bucket();
        let secret = bucket.and(self.settings.kubernetes.registry_credentials.as_ref());
        let Some(secret) = secret else { return Vec::new() };
        let variable = |name: &str, is_optional: bool| {
            let mut reference = json!({"name": secret, "key": name});
            if is_optional {
                reference["optional"] = json!(true);
            }
            json!({"name": name, "valueFrom": {"secretKeyRef": reference}})
        };
        let mut variables = vec![
            variable("AWS_ACCESS_KEY_ID", false),
            variable("AWS_SECRET_ACCESS_KEY", false),
            variable("AWS_SESSION_TOKEN", true),
        ];
        if self.bucket_certificates(StepName::Serve).is_some() {
            let path = format!("{IN_POD}/{CERTIFICATES}/{AUTHORITY}");
            variables.push(json!({"name": "AWS_CA_BUNDLE", "value": path}));
        }
        variables
    }

    /// What the volume with the authority is made of, for the step that speaks with the bucket.
    pub(super) fn bucket_certificates(&self, step: StepName) -> Option<Value> {
        let Settings { server, kubernetes, .. } = &self.settings;
        let name = kubernetes.registry_certificates.as_ref()?;
        let is_used = step == StepName::Serve && server.registry.bucket().is_some();
        is_used.then(|| json!({"configMap": {"name": name, "items": [{"key": AUTHORITY, "path": AUTHORITY}]}}))
    }

    /// Where the server's pods have to get to. A rule knows no names of hosts, so any host at that port.
    pub(super) fn bucket_egress(&self) -> Option<Value> {
        let Bucket { endpoint, .. } = self.settings.server.registry.bucket()?;
        let port = endpoint.as_ref().map_or(HTTPS, |endpoint| endpoint.port());
        Some(json!({"ports": [{"protocol": "TCP", "port": port}]}))
    }
}
