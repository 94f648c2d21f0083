//! Steps as Jobs of a cluster, the server as a Deployment, places as volumes.

mod address;
mod cluster;
mod diff;
mod forward;
mod job;
mod lease;
mod lines;
mod memory;
mod objects;
mod pod;
mod removal;
mod server;
mod source;
mod token;
mod trouble;

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf};

use anyhow::Context;
use console::exit;
use formats::{application::ApplicationRevision, digest::Digest};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;

pub(crate) use address::address;
pub(crate) use cluster::{Cluster, Conflicts};
pub(crate) use forward::{Forward, Target as ForwardTarget};
pub(crate) use lease::{Held, Lease};
pub(crate) use memory::ClusterMemory;
pub(crate) use objects::{Scene, labels, nobody};
pub(crate) use removal::{Keep, remove};
pub(crate) use server::{client as management, follow_logs, inspect as deployed};
pub(crate) use trouble::{Conflict, Denied, Trouble, Unreachable};

use super::{Ended, Executor};
use crate::{
    client::Client,
    decide::{Key, Service, Standing},
    files,
    plan::{Kind, Location, Place, Program, Step, StepName, Value, results},
    settings::Settings,
    standing,
    state::{Memory, RunId},
};

use objects::{Attempt, names};

/// Runs steps in a namespace of a cluster.
pub(crate) struct Kubernetes<'a> {
    cluster: &'a Cluster,
    scene: Scene,
    memory: &'a ClusterMemory<'a>,
    conflicts: Conflicts,
    /// The application manifest on this machine.
    manifest: PathBuf,
    /// What lies in the volumes, as steps have told. Nobody else writes there.
    files: RefCell<BTreeMap<String, Digest>>,
    /// The way to the server.
    forward: Forward,
}

impl<'a> Kubernetes<'a> {
    /// An executor for these settings. What the records tell of a volume counts only as long as it is the same volume.
    pub(crate) fn new(
        cluster: &'a Cluster,
        settings: &Settings,
        scene: Scene,
        memory: &'a ClusterMemory<'a>,
        conflicts: Conflicts,
    ) -> anyhow::Result<Self> {
        let known = memory.claims();
        let is_same = claims(cluster)?.get(names::WORK) == known.get(names::WORK);
        let mut left = BTreeMap::new();
        for record in memory.records()?.into_values().filter(|_| is_same) {
            left.extend(record.outputs);
        }
        Ok(Self {
            cluster,
            scene,
            memory,
            conflicts,
            manifest: settings.root.join(&settings.application),
            files: RefCell::new(left),
            forward: Forward::open(cluster, ForwardTarget::Ready, 0)?,
        })
    }

    /// Makes what stands before the first step, and remembers which volumes it is about.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        token::make(self.cluster, &self.scene)?;
        for object in self.scene.base() {
            self.cluster.apply(&object, self.conflicts)?;
        }
        let key = self.key(self.scene.step(StepName::Serve))?;
        // A server that was started with the same settings may have been changed since, or fight with somebody over it.
        if matches!(self.service()?, Service::Running { key: started, .. } if started == key) {
            self.cluster.apply(&self.scene.deployment(&key), self.conflicts)?;
        }
        self.memory.keep_claims(&claims(self.cluster)?)
    }

    /// What [`Kubernetes::prepare`] and the start of the server would change in the cluster.
    pub(crate) fn changes(&self) -> anyhow::Result<Vec<String>> {
        let serve = self.scene.step(StepName::Serve);
        let deployment = self.scene.deployment(&self.key(serve)?);
        let mut changes = Vec::new();
        for object in self.scene.base().iter().chain([&deployment]) {
            changes.extend(diff::changes(self.cluster, object)?);
        }
        Ok(changes)
    }

    /// The server, where one of its pods is ready.
    fn server(&self) -> anyhow::Result<Option<Client>> {
        if server::ready(self.cluster)?.is_empty() {
            return Ok(None);
        }
        server::client(self.cluster, &self.forward).map(Some)
    }

    fn settle(&self) -> anyhow::Result<()> {
        let path = self.memory.path(&results::deployed());
        let deployed: Option<ApplicationRevision> = files::read_json(&path)?;
        match deployed {
            Some(deployed) => server::settle(self.cluster, &self.scene, &deployed),
            None => Ok(()),
        }
    }
}

impl Executor for Kubernetes<'_> {
    fn key(&self, step: &Step) -> anyhow::Result<Key> {
        let places = &self.scene.places;
        let resolve = |value: &Value| match step.kind {
            // A service keeps what it was started with, so its key has everything written out.
            Kind::Service => places.resolve(value, "").unwrap_or_default(),
            Kind::Task => value.to_string(),
        };
        // All programs are those of one image.
        let build = |_: Program| Ok(Digest::of(self.scene.image.as_bytes()));
        let mut key = Key::new(step, resolve, |location| self.digest(location), build)?;
        if step.kind == Kind::Service {
            let settings = &self.scene.settings.kubernetes;
            let more = [
                ("replicas", settings.replicas.to_string()),
                ("server_cpu", settings.server.cpu.to_string()),
                ("server_memory", settings.server.memory.to_string()),
            ];
            key.arguments.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        Ok(key)
    }

    fn digest(&self, location: &Location) -> anyhow::Result<Option<Digest>> {
        if location.place == Place::Project {
            let bytes = std::fs::read(&self.manifest);
            let bytes = bytes.with_context(|| format!("cannot read `{}`", self.manifest.display()))?;
            return Ok(Some(Digest::of(&bytes)));
        }
        Ok(self.files.borrow().get(&location.to_string()).copied())
    }

    fn standing(&self, step: &Step) -> anyhow::Result<Standing> {
        let Some(client) = self.server()? else {
            return Ok(Standing::Unknown);
        };
        match step.name {
            StepName::Upload => standing::of_version(&client, &self.memory.path(&results::published())),
            StepName::Deploy => standing::of_application(&client, &self.memory.path(&results::deployed())),
            StepName::Download | StepName::Train | StepName::Serve | StepName::Test => Ok(Standing::Stands),
        }
    }

    fn run(&self, step: &Step, run: &RunId, output: &mut dyn FnMut(&str)) -> anyhow::Result<Ended> {
        let attempt = Attempt {
            step,
            run,
            digest: Attempt::digest(&self.key(step)?),
            number: 1,
        };
        let finished = job::run(self.cluster, &self.scene, attempt, output)?;
        if finished.ended == Ended::Code(exit::DONE) {
            let report = finished
                .report
                .context("the pod ended well, but did not tell what it left")?;
            self.files.borrow_mut().extend(report.left);
        }
        self.memory.keep_documents(&finished.documents)?;
        if step.name == StepName::Deploy && finished.ended == Ended::Code(exit::DONE) {
            self.settle()?;
        }
        Ok(finished.ended)
    }

    fn service(&self) -> anyhow::Result<Service> {
        server::inspect(self.cluster)
    }

    fn start(&self, _step: &Step, key: &Key, _run: &RunId) -> anyhow::Result<Ended> {
        let is_ready = server::start(self.cluster, &self.scene, key, self.conflicts)?;
        Ok(match is_ready {
            true => Ended::Code(exit::DONE),
            false => Ended::Interrupted,
        })
    }
}

/// The ids of our claims, by name: another claim of the same name is another volume.
fn claims(cluster: &Cluster) -> anyhow::Result<BTreeMap<String, String>> {
    let claims: Vec<PersistentVolumeClaim> = cluster.list(labels::OURS)?;
    let names = claims.into_iter().map(|claim| claim.metadata);
    Ok(names
        .filter_map(|metadata| Some((metadata.name?, metadata.uid?)))
        .collect())
}
