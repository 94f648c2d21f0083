//! A registry in a bucket: what the server's pods need to reach it, in place of a volume.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Scene;
use crate::settings::{Bucket, Settings};

/// The port of Amazon.
const HTTPS: u16 = 443;

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
        vec![
            variable("AWS_ACCESS_KEY_ID", false),
            variable("AWS_SECRET_ACCESS_KEY", false),
            variable("AWS_SESSION_TOKEN", true),
        ]
    }

    /// Where the server's pods have to get to. A rule knows no names of hosts, so any host at that port.
    pub(super) fn bucket_egress(&self) -> Option<Value> {
        let Bucket { endpoint, .. } = self.settings.server.registry.bucket()?;
        let port = endpoint.as_ref().map_or(HTTPS, |endpoint| endpoint.port());
        Some(json!({"ports": [{"protocol": "TCP", "port": port}]}))
    }
}
