//! One namespace of one cluster, asked and told. Every call waits, has a limit, and outlives an API server that is away
//! for a while.

use std::{
    fmt::Debug,
    future::Future,
    time::{Duration, Instant},
};

use anyhow::Context;
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Client, Config, Resource,
    api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::GroupVersionKind,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    objects::Scene,
    trouble::{Conflict, Denied, Unreachable},
};
use crate::{
    cli::cluster::{ClusterArgs, ContextArgs},
    interrupt::Interrupt,
};

/// By this name the cluster remembers what we set.
pub(crate) const MANAGER: &str = "pipeline";
/// Longest time for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long an API server may be away before work on it is given up: longer than it takes to restart one.
const OUTAGE_MAX: Duration = Duration::from_secs(90);
/// Time between two attempts while it is away.
const PAUSE: Duration = Duration::from_millis(500);

/// A namespace of a cluster.
pub(crate) struct Cluster {
    runtime: Runtime,
    client: Client,
    namespace: String,
    interrupt: Interrupt,
    is_inside: bool,
}

/// Whether somebody else's settings are overruled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflicts {
    /// They are told, and nothing is changed.
    Tell,
    /// They are taken over.
    Force,
}

impl Cluster {
    /// Finds the cluster and asks it for its version: whoever cannot be reached at all is told now.
    pub(crate) fn connect(arguments: &ClusterArgs, interrupt: &Interrupt) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start the threads that talk to the cluster")?;
        let (config, is_inside) = runtime.block_on(config(&arguments.context))?;
        let server = config.cluster_url.to_string();
        // The client starts a task of its own, for which it needs to know the runtime.
        let guard = runtime.enter();
        let client = Client::try_from(config).context("cannot use what the kubeconfig says")?;
        drop(guard);
        let cluster = Self {
            runtime,
            client,
            namespace: arguments.namespace.clone(),
            interrupt: interrupt.clone(),
            is_inside,
        };
        cluster
            .once(cluster.client.apiserver_version())
            .map_err(|source| Unreachable { server, source })?;
        Ok(cluster)
    }

    /// Whether we run in a pod of it, and reach other pods by their addresses.
    pub(crate) fn is_inside(&self) -> bool {
        self.is_inside
    }

    /// The namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Makes the namespace where it is missing. One that somebody else made stays as it is.
    pub(crate) fn make_namespace(&self) -> anyhow::Result<()> {
        let namespace = Scene::namespace(&self.namespace);
        match self.live(&namespace) {
            Ok(None) => self.create(&namespace).map(drop),
            Ok(Some(_)) => Ok(()),
            // Who may look at a namespace's objects may not look at the namespace itself everywhere.
            Err(kube::Error::Api(status)) if status.is_forbidden() => Ok(()),
            Err(error) => Err(refusal(error, &namespace)),
        }
    }

    /// The threads on which work goes on beside ours.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Objects of one kind in the namespace.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Whether we have been asked to stop.
    pub(crate) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Asks until there is an answer or the API server was away for too long.
    pub(crate) fn ask<T, F: Future<Output = kube::Result<T>>>(&self, request: impl Fn() -> F) -> kube::Result<T> {
        let end = Instant::now() + OUTAGE_MAX;
        let mut is_told = false;
        loop {
            match self.once(request()) {
                Err(error) if may_pass(&error) && Instant::now() < end && !self.interrupt.is_set() => {
                    if !is_told {
                        console::say(&format!(
                            "the API server does not answer ({}); waiting for it, for {} s at most",
                            innermost(&error),
                            OUTAGE_MAX.as_secs()
                        ));
                        is_told = true;
                    }
                    self.interrupt.pause(PAUSE);
                }
                answer => return answer,
            }
        }
    }

    /// The object of that name, where there is one.
    pub(crate) fn find<K>(&self, name: &str) -> kube::Result<Option<K>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        let api = self.api::<K>();
        self.ask(|| api.get_opt(name))
    }

    /// The objects with these labels.
    pub(crate) fn list<K>(&self, labels: &str) -> kube::Result<Vec<K>>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        let (api, parameters) = (self.api::<K>(), ListParams::default().labels(labels));
        Ok(self.ask(|| api.list(&parameters))?.items)
    }

    /// The object as it is now, where it is there.
    pub(crate) fn live(&self, object: &Value) -> kube::Result<Option<DynamicObject>> {
        let (api, name) = self.dynamic(object);
        self.ask(|| api.get_opt(&name))
    }

    /// Makes the object what is asked for, and nothing beyond that.
    pub(crate) fn apply(&self, object: &Value, conflicts: Conflicts) -> anyhow::Result<DynamicObject> {
        self.patch(object, conflicts, false)
    }

    /// What [`Cluster::apply`] would leave.
    pub(crate) fn rehearse(&self, object: &Value) -> anyhow::Result<DynamicObject> {
        self.patch(object, Conflicts::Force, true)
    }

    /// Makes a new object; `false` where one of its name is there already.
    pub(crate) fn create(&self, object: &Value) -> anyhow::Result<bool> {
        let (api, _) = self.dynamic(object);
        let body: DynamicObject = serde_json::from_value(object.clone()).context("cannot write an object")?;
        let parameters = PostParams {
            dry_run: false,
            field_manager: Some(MANAGER.to_owned()),
        };
        match self.ask(|| api.create(&parameters, &body)) {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
            Err(error) => Err(refusal(error, object)),
        }
    }

    /// Removes an object with everything that it owns; `false` where there is none.
    pub(crate) fn delete(&self, object: &Value) -> anyhow::Result<bool> {
        let (api, name) = self.dynamic(object);
        let parameters = DeleteParams::background();
        match self.ask(|| api.delete(&name, &parameters)) {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
            Err(error) => Err(refusal(error, object)),
        }
    }

    fn patch(&self, object: &Value, conflicts: Conflicts, is_rehearsal: bool) -> anyhow::Result<DynamicObject> {
        let (api, name) = self.dynamic(object);
        let parameters = PatchParams {
            dry_run: is_rehearsal,
            force: conflicts == Conflicts::Force,
            field_manager: Some(MANAGER.to_owned()),
            field_validation: Some(kube::api::ValidationDirective::Strict),
        };
        let patch = Patch::Apply(object);
        self.ask(|| api.patch(&name, &parameters, &patch))
            .map_err(|error| refusal(error, object))
    }

    /// How objects of this kind are reached, and this one's name.
    fn dynamic(&self, object: &Value) -> (Api<DynamicObject>, String) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let (group, version) = version.rsplit_once('/').unwrap_or(("", &version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
        let api = match kind.as_str() {
            "Namespace" => Api::all_with(self.client.clone(), &resource),
            _ => Api::namespaced_with(self.client.clone(), &self.namespace, &resource),
        };
        (api, text(&object["metadata"]["name"]))
    }

    /// One attempt, with its limit.
    fn once<T>(&self, request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
        self.runtime.block_on(async {
            match tokio::time::timeout(ANSWER_MAX, request).await {
                Ok(answer) => answer,
                Err(elapsed) => Err(kube::Error::Service(elapsed.into())),
            }
        })
    }
}

/// How the cluster is reached, and whether from inside.
async fn config(arguments: &ContextArgs) -> anyhow::Result<(Config, bool)> {
    let options = KubeConfigOptions {
        context: arguments.context.clone(),
        ..KubeConfigOptions::default()
    };
    match &arguments.kubeconfig {
        Some(file) => {
            let known = Kubeconfig::read_from(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            let config = Config::from_custom_kubeconfig(known, &options).await;
            let config = config.with_context(|| format!("cannot use `{}`", file.display()))?;
            Ok((config, false))
        }
        None => match Config::from_kubeconfig(&options).await {
            Ok(config) => Ok((config, false)),
            Err(error) if options.context.is_some() => Err(error).context("cannot use the kubeconfig"),
            Err(error) => match Config::incluster() {
                Ok(config) => Ok((config, true)),
                Err(_) => Err(error).context("cannot find out how the cluster is reached"),
            },
        },
    }
}

/// Whether the same request may succeed a little later.
pub(crate) fn may_pass(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 429 | 500 | 502 | 503 | 504),
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

/// The error of a request about an object, told by what the API server says about it.
fn refusal(error: kube::Error, object: &Value) -> anyhow::Error {
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let what = format!("{} `{}`", name(&object["kind"]), name(&object["metadata"]["name"]));
    match error {
        kube::Error::Api(status) if status.is_conflict() => Conflict {
            what,
            message: status.message.clone(),
        }
        .into(),
        kube::Error::Api(status) if status.is_forbidden() || status.is_invalid() => Denied {
            what,
            message: status.message.clone(),
        }
        .into(),
        error => anyhow::Error::new(error).context(format!("cannot change {what}")),
    }
}

/// What lies at the bottom of an error: the layers above it say only that a request failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
