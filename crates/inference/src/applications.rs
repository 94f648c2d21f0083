//! All applications of a server: a map that is swapped whole, so that readers never wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use registry::{Published, Registry, RegistryError};
use tracing::info;

use formats::{
    api::{ApplicationState, BrokenRevision},
    application::{ApplicationRevision, ApplicationSpec},
    name::{ApplicationName, ModelName, SignatureName},
};

use crate::{
    Application, InferenceError, Route,
    application::load,
    broken::BrokenRevisions,
    direct::Direct,
    engine::{Engines, inspect},
};

/// The applications that answer requests, and the registry they come from.
pub struct Applications {
    pub(crate) registry: Registry,
    pub(crate) engines: Engines,
    pub(crate) direct: Direct,
    deployed: ArcSwap<Deployed>,
    n_swaps: AtomicU64,
    pub(crate) restored: AtomicBool,
    pub(crate) n_looks: AtomicU32,
    pub(crate) registry_answers: AtomicBool,
    pub(crate) broken: Mutex<BrokenRevisions>,
}

type Deployed = BTreeMap<ApplicationName, Arc<Application>>;

impl Applications {
    /// No applications yet: [`Applications::refresh`] brings those of the registry.
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            engines: Engines::default(),
            direct: Direct::default(),
            deployed: ArcSwap::default(),
            n_swaps: AtomicU64::new(0),
            restored: AtomicBool::new(false),
            n_looks: AtomicU32::new(0),
            registry_answers: AtomicBool::new(true),
            broken: Mutex::default(),
        }
    }

    /// Where models and revisions are kept.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The applications that answer now, by name.
    pub fn deployed(&self) -> Vec<Arc<Application>> {
        self.deployed.load().values().cloned().collect()
    }

    /// Whether everything was loaded that the registry held at the start, as far as it can be.
    pub fn is_restored(&self) -> bool {
        self.restored.load(Ordering::Acquire)
    }

    /// Whether the registry answered when it was looked at last.
    pub fn is_registry_reachable(&self) -> bool {
        self.registry_answers.load(Ordering::Relaxed)
    }

    /// The applications whose newest revision could not be loaded.
    pub fn broken(&self) -> BTreeMap<ApplicationName, BrokenRevision> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).all()
    }

    /// Every application that answers, or that should, by name.
    pub fn states(&self) -> Vec<ApplicationState> {
        let deployed = self.deployed.load();
        let mut broken = self.broken();
        let names: BTreeSet<_> = deployed.keys().chain(broken.keys()).cloned().collect();
        let state = |name: ApplicationName| ApplicationState {
            answers: deployed.get(&name).map(|application| application.revision().clone()),
            broken: broken.remove(&name),
            name,
        };
        names.into_iter().map(state).collect()
    }

    /// How often requests began to see another revision.
    pub fn n_swaps(&self) -> u64 {
        self.n_swaps.load(Ordering::Relaxed)
    }

    /// What answers under `name` and `signature` from now on, for one request: a later deploy does not change it.
    ///
    /// Errors: an unknown name, with those that exist.
    pub fn route(&self, name: &ApplicationName, signature: &SignatureName) -> Result<Arc<Route>, InferenceError> {
        self.application(name)?.route(signature)
    }

    /// Publishes an artifact as the next version of `model`, as [`Registry::publish`] does, after proving that it can
    /// be served.
    ///
    /// Errors: [`InferenceError::BrokenArtifact`], with nothing published; the registry's.
    pub async fn publish(
        &self,
        model: &ModelName,
        artifact: Bytes,
        idempotency_key: Option<&str>,
    ) -> Result<Published, InferenceError> {
        let header = inspect(artifact.clone()).await?;
        Ok(self.registry.publish(model, header, artifact, idempotency_key).await?)
    }

    /// Makes `spec` the current revision; the `bool` says whether that took a new one.
    ///
    /// Every version is loaded, checked and warmed up first; then the revision is stored; then requests see it. A
    /// deploy that fails changes nothing.
    ///
    /// Errors: a version that does not exist or cannot be served; a form that is not carried out; the registry's.
    pub async fn deploy(&self, spec: ApplicationSpec) -> Result<(ApplicationRevision, bool), InferenceError> {
        let routes = load(&spec, &self.registry, &self.engines).await?;
        let (revision, is_new) = self.registry.deploy(spec).await?;
        self.swap_in(Application::new(revision.clone(), routes));
        Ok((revision, is_new))
    }

    /// Deploys what `revision` of the application was, or where none is named, the one before the newest; the `bool`
    /// says whether that took a new one. It is a deploy like any other: history only grows.
    ///
    /// Errors: a revision that does not exist; as [`Applications::deploy`].
    pub async fn roll_back(
        &self,
        name: &ApplicationName,
        revision: Option<NonZeroU32>,
    ) -> Result<(ApplicationRevision, bool), InferenceError> {
        let numbers = self.registry.revision_numbers(name).await?;
        let [.., newest] = *numbers else {
            return Err(RegistryError::UnknownApplication(name.clone()).into());
        };
        let no_earlier = || InferenceError::NoEarlierRevision {
            application: name.clone(),
            oldest: newest,
        };
        let revision = match revision {
            Some(revision) => revision,
            None => *numbers.iter().rev().nth(1).ok_or_else(no_earlier)?,
        };
        let earlier = self.registry.revision(name, revision).await?;
        let earlier = earlier.ok_or_else(|| InferenceError::UnknownRevision {
            application: name.clone(),
            revision,
            newest,
        })?;
        self.deploy(earlier.application).await
    }

    /// Loads a revision that is in the registry already.
    pub(crate) async fn adopt(&self, revision: &ApplicationRevision) -> Result<Arc<Application>, InferenceError> {
        let routes = load(&revision.application, &self.registry, &self.engines).await?;
        Ok(self.swap_in(Application::new(revision.clone(), routes)))
    }

    /// The application that answers under `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<Arc<Application>> {
        self.deployed.load().get(name).cloned()
    }

    /// The application that answers under `name`.
    ///
    /// Errors: an unknown name, with those that exist.
    pub fn application(&self, name: &ApplicationName) -> Result<Arc<Application>, InferenceError> {
        let deployed = self.deployed.load();
        deployed
            .get(name)
            .cloned()
            .ok_or_else(|| InferenceError::UnknownApplication {
                name: name.clone(),
                known: deployed.keys().cloned().collect(),
            })
    }

    /// Lets requests see `application`, unless a later revision came first. Returns what they see.
    fn swap_in(&self, application: Application) -> Arc<Application> {
        let name = application.name().clone();
        let application = Arc::new(application);
        let before = self.deployed.rcu(|deployed| {
            let mut next = Deployed::clone(deployed);
            let newest = next.entry(name.clone()).or_insert_with(|| application.clone());
            if newest.number() < application.number() {
                *newest = application.clone();
            }
            next
        });
        let revision = application.number();
        self.broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&name, revision);
        match before.get(&name) {
            Some(newest) if newest.number() >= revision => newest.clone(),
            _ => {
                self.n_swaps.fetch_add(1, Ordering::Relaxed);
                let versions: Vec<_> = application.versions().iter().map(ToString::to_string).collect();
                info!(application = %name, revision, "revision {revision} of {name} answers: {}", versions.join(", "));
                application
            }
        }
    }
}
