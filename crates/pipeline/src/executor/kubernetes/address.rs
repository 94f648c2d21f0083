//! Where the server is reached from outside of the cluster.

use k8s_openapi::api::core::v1::Service;

use super::{cluster::Cluster, objects::names};
use crate::server_url::ServerUrl;

/// The address that the Service has of its own, or `port` of this machine with what makes it lead there.
pub(crate) fn address(cluster: &Cluster, port: u16) -> anyhow::Result<(ServerUrl, Option<String>)> {
    let service = cluster.find::<Service>(names::SERVER)?;
    let balancer = service.and_then(|service| service.status?.load_balancer?.ingress?.into_iter().next());
    if let Some(url) = balancer.and_then(|entry| entry.hostname.or(entry.ip)?.parse().ok()) {
        return Ok((url, None));
    }
    let remark = "while `pipeline forward` runs".to_owned();
    Ok((format!("127.0.0.1:{port}").parse()?, Some(remark)))
}
