//! One delivery at a time into one namespace.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease as Object, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::api::{Api, DeleteParams, PostParams, Preconditions};
use thiserror::Error;
use tokio::task::JoinHandle;

use super::{
    cluster::{Cluster, MANAGER},
    objects::names,
};
use crate::{service::is_alive, time};

const NAME: &str = names::DELIVERY;
/// A holder that has not been heard of for this long is dead.
const LASTS: Duration = Duration::from_secs(15);
/// How often a holder is heard of.
const RENEW_EVERY: Duration = Duration::from_secs(4);

/// Held as long as this value lives; one that is killed is overtaken once its time has run out.
pub(crate) struct Lease<'a> {
    cluster: &'a Cluster,
    uid: Option<String>,
    renewal: JoinHandle<()>,
}

/// Another delivery has the namespace.
#[derive(Debug, Error)]
#[error("another `pipeline` delivers into namespace `{namespace}`: {holder}, since {since}")]
pub(crate) struct Held {
    namespace: String,
    holder: String,
    since: String,
}

/// Who holds it, as it stands in the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) name: String,
    pub(crate) since_ms: u64,
}

impl<'a> Lease<'a> {
    /// Takes it, or tells who has it.
    pub(crate) fn take(cluster: &'a Cluster) -> anyhow::Result<Self> {
        let api: Api<Object> = cluster.api();
        let parameters = parameters();
        let context = "cannot take the lease of the namespace";
        loop {
            let created = cluster.ask(|| async { api.create(&parameters, &object()).await });
            let taken = match created {
                Ok(taken) => taken,
                Err(kube::Error::Api(status)) if status.is_already_exists() => {
                    let Some(held) = cluster.find::<Object>(NAME).context(context)? else {
                        continue;
                    };
                    if let Some(holder) = holder(&held) {
                        return Err(Held {
                            namespace: cluster.namespace().to_owned(),
                            since: time::moment(holder.since_ms),
                            holder: holder.name,
                        }
                        .into());
                    }
                    let mut ours = object();
                    ours.metadata.resource_version = held.metadata.resource_version;
                    match cluster.ask(|| api.replace(NAME, &parameters, &ours)) {
                        Ok(taken) => taken,
                        // Somebody was quicker.
                        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => continue,
                        Err(error) => return Err(error).context(context),
                    }
                }
                Err(error) => return Err(error).context(context),
            };
            return Ok(Self {
                cluster,
                uid: taken.metadata.uid.clone(),
                renewal: cluster.runtime().spawn(renew(api, taken)),
            });
        }
    }

    /// Who delivers into the namespace now.
    pub(crate) fn holder(cluster: &Cluster) -> anyhow::Result<Option<Holder>> {
        Ok(cluster.find::<Object>(NAME)?.as_ref().and_then(holder))
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.renewal.abort();
        let api: Api<Object> = self.cluster.api();
        let ours = DeleteParams::default().preconditions(Preconditions {
            uid: self.uid.clone(),
            resource_version: None,
        });
        // Where it cannot be given back, it runs out by itself.
        let _ = self
            .cluster
            .runtime()
            .block_on(async { tokio::time::timeout(Duration::from_secs(2), api.delete(NAME, &ours)).await });
    }
}

async fn renew(api: Api<Object>, mut lease: Object) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        if let Some(spec) = &mut lease.spec {
            spec.renew_time = Some(MicroTime(Timestamp::now()));
        }
        // A server that is away for a moment is asked again; whoever has taken the lease meanwhile keeps it.
        if let Ok(renewed) = api.replace(NAME, &parameters(), &lease).await {
            lease = renewed;
        }
    }
}

fn parameters() -> PostParams {
    PostParams {
        dry_run: false,
        field_manager: Some(MANAGER.to_owned()),
    }
}

fn object() -> Object {
    let now = MicroTime(Timestamp::now());
    let labels = [
        ("app.kubernetes.io/name", "slipway"),
        ("app.kubernetes.io/managed-by", MANAGER),
    ];
    Object {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(identity()),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_duration_seconds: i32::try_from(LASTS.as_secs()).ok(),
            ..LeaseSpec::default()
        }),
    }
}

/// `host (process 4242)`.
fn identity() -> String {
    format!("{} (process {})", host(), std::process::id())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Who holds the lease, unless its time has run out or it is known to be dead.
fn holder(lease: &Object) -> Option<Holder> {
    let spec = lease.spec.as_ref()?;
    let name = spec.holder_identity.clone().filter(|name| !name.is_empty())?;
    let renewed = spec.renew_time.as_ref()?.0;
    let lasts = i64::from(spec.lease_duration_seconds?);
    let is_over = Timestamp::now().duration_since(renewed).as_secs() >= lasts;
    (!is_over && !is_dead(&name)).then(|| Holder {
        since_ms: (spec.acquire_time.as_ref())
            .and_then(|at| u64::try_from(at.0.as_millisecond()).ok())
            .unwrap_or(0),
        name,
    })
}

/// Whether the holder was a process of this machine that is gone: there is nobody to wait for.
fn is_dead(name: &str) -> bool {
    let ours = name.strip_prefix(&format!("{} (process ", host()));
    let id = ours.and_then(|rest| rest.strip_suffix(')')?.parse().ok());
    id.is_some_and(|id| !is_alive(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_as_long_as_somebody_is_heard_of() {
        let mut lease = object();
        assert_eq!(holder(&lease).unwrap().name, identity());
        let spec = lease.spec.as_mut().unwrap();
        spec.renew_time = Some(MicroTime(Timestamp::now() - LASTS));
        assert_eq!(holder(&lease), None);
    }

    #[test]
    fn a_dead_process_of_this_machine_holds_nothing_and_one_elsewhere_may() {
        let mut lease = object();
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        dead.wait().unwrap();
        let mut hold = |name: String| {
            lease.spec.as_mut().unwrap().holder_identity = Some(name);
            holder(&lease).is_some()
        };
        assert!(!hold(format!("{} (process {})", host(), dead.id())));
        assert!(hold(format!("elsewhere (process {})", dead.id())));
        assert!(!hold(String::new()));
    }
}
