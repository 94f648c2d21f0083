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

use anyhow::{Context, bail};
use console::exit;
use formats::{application::ApplicationRevision, digest::Digest};

pub(crate) use address::address;
pub(crate) use cluster::{Cluster, Conflicts};
pub(crate) use forward::{Forward, Target as ForwardTarget};
pub(crate) use lease::{Held, Lease};
pub(crate) use memory::ClusterMemory;
pub(crate) use objects::{CERTIFICATES, Scene, nobody};
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
    manners: Manners,
    /// The application manifest on this machine.
    manifest: PathBuf,
    /// What lies in the volumes, as steps have told. Nobody else writes there.
    files: RefCell<BTreeMap<String, Digest>>,
    /// The programs in the image, by name, where they are known.
    programs: RefCell<Option<BTreeMap<String, Digest>>>,
    /// The way to the server.
    forward: Forward,
}

/// How a delivery behaves towards what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manners {
    pub(crate) conflicts: Conflicts,
    /// What stands before the first step is left as it is.
    pub(crate) leaves_all: bool,
}

impl<'a> Kubernetes<'a> {
    /// An executor for these settings. What the records tell of a volume counts only as long as it is the same volume.
    pub(crate) fn new(
        cluster: &'a Cluster,
        settings: &Settings,
        scene: Scene,
        memory: &'a ClusterMemory<'a>,
        manners: Manners,
    ) -> anyhow::Result<Self> {
        let known = memory.claims();
        let is_same = claims(cluster)?.get(names::WORK) == known.get(names::WORK);
        let mut left = BTreeMap::new();
        for record in memory.records()?.into_values().filter(|_| is_same) {
            left.extend(record.outputs);
        }
        Ok(Self {
            programs: RefCell::new(memory.programs(&scene.image)),
            cluster,
            scene,
            memory,
            manners,
            manifest: settings.root.join(&settings.application),
            files: RefCell::new(left),
            forward: Forward::open(cluster, ForwardTarget::Ready, 0)?,
        })
    }

    /// Makes what stands before the first step, and remembers which volumes it is about.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        if !self.manners.leaves_all {
            token::make(self.cluster, &self.scene)?;
            for object in self.scene.base() {
                self.cluster.apply(&object, self.manners.conflicts)?;
            }
            for object in removal::unwanted(self.cluster, &self.scene)? {
                self.cluster.delete(&object)?;
            }
        }
        if !self.look()? {
            return Ok(());
        }
        let key = self.key(self.scene.step(StepName::Serve))?;
        // A server that was started with the same settings may have been changed since, or fight with somebody over it.
        if matches!(self.service()?, Service::Running { key: started, .. } if started == key) {
            self.cluster
                .apply(&self.scene.deployment(&key), self.manners.conflicts)?;
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
        for object in removal::unwanted(self.cluster, &self.scene)? {
            changes.push(format!("{}: goes", diff::name(&object)));
        }
        Ok(changes)
    }

    /// What decisions rest on that nobody knows yet.
    pub(crate) fn notice(&self) -> Option<String> {
        let image = &self.scene.image;
        let unknown = self.programs.borrow().is_none();
        unknown.then(|| {
            format!("which programs are in `{image}` is not known here yet: where they are the same, `up` does less")
        })
    }

    /// Finds out which programs are in the image, where nobody has yet; `false` where we were stopped.
    fn look(&self) -> anyhow::Result<bool> {
        if self.programs.borrow().is_some() {
            return Ok(true);
        }
        let mut output = |line: &str| console::say(&format!("{:<8} | {line}", objects::LOOK));
        let attempts = self.scene.settings.limits.attempts.get();
        for attempt in 1..=attempts {
            let finished = job::look(self.cluster, &self.scene, &mut output)?;
            match (finished.ended, finished.report) {
                (Ended::Code(exit::DONE), Some(report)) => {
                    self.memory.keep_programs(&self.scene.image, &report.left)?;
                    self.programs.replace(Some(report.left));
                    return Ok(true);
                }
                (Ended::Code(exit::TEMPORARY), _) if attempt < attempts => {}
                (Ended::Interrupted, _) => return Ok(false),
                (ended, _) => bail!(
                    "the image `{}` does not tell which programs it has: it {ended}",
                    self.scene.image
                ),
            }
        }
        Ok(false)
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
        let programs = self.programs.borrow();
        let known = |program: Program| programs.as_ref()?.get(program.as_str()).copied();
        // As long as nobody has looked, those of another image may be others.
        let build = |program| Ok(known(program).unwrap_or_else(|| Digest::of(self.scene.image.as_bytes())));
        let mut key = Key::new(step, resolve, |location| self.digest(location), build)?;
        if step.kind == Kind::Service {
            let settings = &self.scene.settings.kubernetes;
            let more = [
                // The same programs under another name: that one may be all that there is tomorrow.
                ("image", self.scene.image.clone()),
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
        let is_ready = server::start(self.cluster, &self.scene, key, self.manners.conflicts)?;
        Ok(match is_ready {
            true => Ended::Code(exit::DONE),
            false => Ended::Interrupted,
        })
    }
}

/// The ids of our claims, by name: another claim of the same name is another volume.
fn claims(cluster: &Cluster) -> anyhow::Result<BTreeMap<String, String>> {
    let names = pod::own_claims(cluster)?.into_iter().map(|claim| claim.metadata);
    Ok(names
        .filter_map(|metadata| Some((metadata.name?, metadata.uid?)))
        .collect())
}
