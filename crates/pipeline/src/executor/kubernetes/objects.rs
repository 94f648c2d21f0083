//! The objects of a delivery in a cluster, as pure functions of settings and plan.

mod base;
mod bucket;
mod chain;
mod job;
mod network;
mod pod;
mod retraining;
mod server;
#[cfg(test)]
mod tests;

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};

pub(crate) use bucket::CERTIFICATES;
use job::KEPT;
pub(crate) use job::{Attempt, JobName};
pub(crate) use pod::{Inside, RECEIVE_PORT, nobody};
use retraining::Retraining;

use crate::{
    places::{IN_POD, Places},
    plan::{Plan, Step, StepName},
    settings::Settings,
};

/// Names of objects. There is one delivery in a namespace.
pub(crate) mod names {
    /// The server's Deployment, Service, account and what else is about it.
    pub(crate) const SERVER: &str = "slipway-server";
    /// The account of pods of steps, and the rules for their network.
    pub(crate) const STEPS: &str = "slipway-steps";
    /// The rule for the network of the step that fetches from outside.
    pub(crate) const DOWNLOAD: &str = "slipway-download";
    /// The claim on the volume for data set, models and results.
    pub(crate) const WORK: &str = "slipway-work";
    /// The claim on the volume for the registry.
    pub(crate) const REGISTRY: &str = "slipway-registry";
    /// The application manifest.
    pub(crate) const PROJECT: &str = "slipway-project";
    /// The secret with the token of the server's management.
    pub(crate) const MANAGEMENT: &str = "slipway-management";
    /// What delivers from inside of the cluster on a schedule: its CronJob, its account and what that may do.
    pub(crate) const RETRAINING: &str = "slipway-retraining";
    /// What is remembered from run to run.
    pub(crate) const STATE: &str = "slipway-state";
    /// Who delivers now.
    pub(crate) const DELIVERY: &str = "slipway-delivery";
    /// The secret with the keys that predictions take.
    pub(crate) const API_KEYS: &str = "slipway-api-keys";
}

/// The key in a secret, and the name of the file in its volume, see [`Places::in_pod`].
pub(crate) const TOKEN_KEY: &str = "token";
/// The same for API keys.
const API_KEYS_KEY: &str = "keys";

/// Labels by which our objects are found.
pub(crate) mod labels {
    /// All of ours.
    pub(crate) const OURS: &str = "app.kubernetes.io/name=slipway";
    /// The step that a Job takes.
    pub(crate) const STEP: &str = "slipway/step";
    /// The run for which it takes it.
    pub(crate) const RUN: &str = "slipway/run";
    /// The digest of everything that decides what it leaves.
    pub(crate) const KEY: &str = "slipway/key";
}

/// The component of the pod that tells which programs an image has.
pub(crate) const LOOK: &str = "image";

/// Annotation of the Deployment: with what the server was started, as JSON.
pub(crate) const KEY_ANNOTATION: &str = "slipway/key";

/// Everything that decides how the objects look.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// As they are in a pod, see [`Scene::new`].
    pub(crate) settings: Settings,
    /// The steps that they ask for.
    pub(crate) plan: Plan,
    /// Where a pod finds everything.
    pub(crate) places: Places,
    /// The image with our programs.
    pub(crate) image: String,
    /// The namespace into which all of it goes.
    namespace: String,
    /// The application manifest.
    manifest: String,
    /// The file with the keys that predictions take.
    api_keys: Option<String>,
    /// What a delivery from inside of the cluster finds there; absent where there is none.
    retraining: Option<Retraining>,
    /// The folder of this machine from which the data set comes, where it is one.
    pub(crate) source: Option<PathBuf>,
}

impl Scene {
    /// The delivery that these settings ask for, with `image` for every pod, into `namespace`.
    ///
    /// The files that they name on this machine have another place in a pod, and the management always takes a token there.
    pub(crate) fn new(settings: &Settings, image: &str, namespace: &str) -> anyhow::Result<Self> {
        check_image(image)?;
        let read = |path: &PathBuf| {
            let path = settings.root.join(path);
            fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
        };
        bucket::check(settings)?;
        let manifest = read(&settings.application)?;
        let retraining = match settings.kubernetes.retraining_schedule {
            Some(_) => Some(Retraining::new(settings, read(&settings.file)?)?),
            None => None,
        };
        let api_keys = settings.server.api_keys_file.as_ref().map(read).transpose()?;
        let mut settings = settings.clone();
        let name = settings
            .application
            .file_name()
            .context("the application has no name")?;
        settings.application = PathBuf::from(name);
        settings.server.management_token_file = Some(PathBuf::from(TOKEN_KEY));
        let source = settings.data.source.as_mut().filter(|source| !source.contains("://"));
        let source = source.map(|source| {
            let folder = settings.root.join(&*source);
            *source = format!("{IN_POD}/source");
            folder
        });
        if let Some(folder) = source.as_ref().filter(|folder| !folder.is_dir()) {
            bail!("`{}` (key `data.source`) is no folder", folder.display());
        }
        let url = format!("http://{}", names::SERVER).parse();
        let places = Places::in_pod(&settings, url.context("the server's name is no address")?);
        Ok(Self {
            plan: Plan::new(&settings),
            settings,
            places,
            image: image.to_owned(),
            namespace: namespace.to_owned(),
            manifest,
            api_keys,
            retraining,
            source,
        })
    }

    /// Everything that stands before the first step runs, in the order in which it is made. The token is not among it: it
    /// is made once, and then never again.
    pub(crate) fn base(&self) -> Vec<Value> {
        let accounts = [names::SERVER, names::STEPS].map(|name| self.account(name));
        let volumes = self.claims();
        let project = [self.project()].into_iter().chain(self.api_keys());
        let networks = self.networks();
        let doors = [self.service(), self.disruption_budget()]
            .into_iter()
            .chain(self.autoscaler());
        let all = accounts.into_iter().chain(volumes).chain(project).chain(networks);
        all.chain(doors).chain(self.retraining()).collect()
    }

    /// What every object of ours says about itself.
    fn metadata(&self, name: &str, component: &str) -> Value {
        json!({"name": name, "labels": self.labels(component)})
    }

    /// `component` is a step, `server`, or `delivery` for what concerns them all.
    fn labels(&self, component: &str) -> Value {
        json!({
            "app.kubernetes.io/name": "slipway",
            "app.kubernetes.io/instance": self.settings.manifest.name.as_str(),
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/managed-by": "pipeline",
        })
    }

    /// The program of a step with its arguments.
    pub(crate) fn program(&self, step: &Step, run: &str) -> Vec<String> {
        let arguments = step.command_line(|value| self.places.resolve(value, run));
        [vec![step.program.as_str().to_owned()], arguments].concat()
    }

    /// The step of that name, which the plan has.
    pub(crate) fn step(&self, name: StepName) -> &Step {
        self.plan.step(name).expect("a plan has every step")
    }
}

/// The names by which pods of `component` are found.
fn selector(component: &str) -> Value {
    json!({"app.kubernetes.io/name": "slipway", "app.kubernetes.io/component": component})
}

/// A name that means another image tomorrow would make the plan lie today.
fn check_image(image: &str) -> anyhow::Result<()> {
    if image.contains('@') {
        return Ok(());
    }
    // A colon before the last slash belongs to a port.
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        Some((_, "latest")) | None => bail!(
            "the image `{image}` (`--image`) means another one as time goes by: expected one with a digest, or a tag other \
             than `latest`"
        ),
        Some(_) => Ok(()),
    }
}
