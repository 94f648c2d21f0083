//! A deployed application: the signatures under which it answers, and what is behind them.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use registry::Registry;

use formats::{
    application::{ApplicationRevision, ApplicationSpec},
    name::{ApplicationName, SignatureName},
    signature::Signature,
    sticky::Sticky,
    version::ModelVersion,
};

use crate::{
    InferenceError,
    engine::{Engine, Engines},
    stages::Stages,
};

/// One revision of an application, loaded and ready to answer.
pub struct Application {
    revision: ApplicationRevision,
    routes: BTreeMap<SignatureName, Arc<Route>>,
}

/// What answers under one signature: stages of versions that share the traffic and are all called the same way.
pub struct Route {
    pub(crate) signature: Signature,
    pub(crate) stages: Stages,
    application: ApplicationName,
    sticky: Option<Sticky>,
}

impl Application {
    pub(crate) fn new(revision: ApplicationRevision, routes: BTreeMap<SignatureName, Arc<Route>>) -> Self {
        Self { revision, routes }
    }

    /// Its name.
    pub fn name(&self) -> &ApplicationName {
        &self.revision.application.name
    }

    /// What is deployed.
    pub fn revision(&self) -> &ApplicationRevision {
        &self.revision
    }

    /// The number of its revision: of two, the higher one counts.
    pub fn number(&self) -> NonZeroU32 {
        self.revision.revision
    }

    /// Every version that may answer, once.
    pub fn versions(&self) -> Vec<ModelVersion> {
        let mut versions: Vec<_> = (self.routes.values())
            .flat_map(|route| route.stages.versions().cloned())
            .collect();
        versions.sort();
        versions.dedup();
        versions
    }

    /// The ways to call it, each under the name by which it is called.
    pub fn signatures(&self) -> impl Iterator<Item = Signature> {
        self.routes.iter().map(|(name, route)| Signature {
            name: name.clone(),
            ..route.signature.clone()
        })
    }

    /// What answers under `signature`, if anything does.
    pub fn find(&self, signature: &str) -> Option<Arc<Route>> {
        self.routes.get(signature).cloned()
    }

    /// What answers under `signature`.
    ///
    /// Errors: a signature it does not have, with those it has.
    pub fn route(&self, signature: &SignatureName) -> Result<Arc<Route>, InferenceError> {
        self.routes
            .get(signature)
            .cloned()
            .ok_or_else(|| InferenceError::UnknownSignature {
                application: self.name().clone(),
                signature: signature.clone(),
                known: self.routes.keys().cloned().collect(),
            })
    }

    /// What answers where a client cannot name a signature: the one under the application's own name, where there is
    /// one.
    pub fn only_route(&self) -> Arc<Route> {
        let mut routes = self.routes.iter();
        let own = routes.clone().find(|(name, _)| name.as_str() == self.name().as_str());
        let (_, route) = own.or_else(|| routes.next()).expect("an application has a route");
        route.clone()
    }
}

impl Route {
    /// What answers for a version by its own name.
    pub(crate) fn to_version(engine: Arc<Engine>) -> Self {
        let name = engine.version().name.as_str();
        Self {
            application: name
                .parse()
                .expect("names of models and applications have the same rules"),
            signature: engine.signature().clone(),
            stages: Stages::of(engine),
            sticky: None,
        }
    }

    /// What a request must contain, and what an answer contains.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// By what requests are told apart that get the same version each time.
    pub fn sticky(&self) -> Option<&Sticky> {
        self.sticky.as_ref()
    }

    /// The ticket of every request with `value` there.
    pub fn ticket_of(&self, value: &[u8]) -> u64 {
        Sticky::ticket(&self.application, value)
    }
}

/// Loads everything that `spec` needs, or finds why it cannot be carried out.
pub(crate) async fn load(
    spec: &ApplicationSpec,
    registry: &Registry,
    engines: &Engines,
) -> Result<BTreeMap<SignatureName, Arc<Route>>, InferenceError> {
    let (stages, signatures) = Stages::load(spec, registry, engines).await?;
    let (Some(first), Some(last)) = (signatures.first(), signatures.last()) else {
        unreachable!("an application without a stage is not loaded")
    };
    let has_one_stage = stages.further.is_empty();
    let route = Arc::new(Route {
        signature: Signature {
            name: first.name.clone(),
            inputs: first.inputs.clone(),
            outputs: last.outputs.clone(),
        },
        stages,
        application: spec.name.clone(),
        sticky: spec.sticky.clone(),
    });
    let mut routes = BTreeMap::new();
    // Several stages together are called like none of their models.
    if has_one_stage {
        routes.insert(first.name.clone(), route.clone());
    }
    // The original's form with stages answers under the application's own name.
    if !has_one_stage || spec.stages.iter().any(|stage| stage.signature.is_some()) {
        let own_name = spec
            .name
            .as_str()
            .parse()
            .expect("names of applications and signatures have the same rules");
        routes.insert(own_name, route);
    }
    Ok(routes)
}
