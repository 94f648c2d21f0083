//! A deployed application: the signatures under which it answers, and what is behind them.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc};

use registry::{Registry, RegistryError};

use formats::{
    application::{ApplicationRevision, ApplicationSpec, Stage},
    name::{ApplicationName, SignatureName},
    signature::Signature,
    sticky::Sticky,
    version::ModelVersion,
};

use crate::{
    InferenceError, TrafficSplit,
    engine::{Engine, Engines},
};

/// One revision of an application, loaded and ready to answer.
pub struct Application {
    revision: ApplicationRevision,
    routes: BTreeMap<SignatureName, Arc<Route>>,
}

/// What answers under one signature: versions that share the traffic and are all called the same way.
pub struct Route {
    pub(crate) signature: Signature,
    pub(crate) split: TrafficSplit<Arc<Engine>>,
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
        let engines = self.routes.values().flat_map(|route| route.split.iter());
        let mut versions: Vec<_> = engines.map(|engine| engine.version().clone()).collect();
        versions.sort();
        versions.dedup();
        versions
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
}

impl Route {
    /// What a request must contain.
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
    let invalid = |path: &str, problem: String| InferenceError::InvalidApplication {
        name: spec.name.clone(),
        path: path.to_owned(),
        problem,
    };
    let [stage] = spec.stages.as_slice() else {
        let problem = format!("{} stages, this server carries out exactly 1", spec.stages.len());
        return Err(invalid("stages", problem));
    };
    let split = load_split(spec, stage, registry, engines).await?;
    let first = split.iter().next().expect("weights that add up to 100 are not none");
    let signature = first.signature().clone();
    if let Some(other) = split.iter().find(|engine| *engine.signature() != signature) {
        let problem = format!(
            "`{}` and `{}` share traffic, but have different signatures",
            first.version(),
            other.version()
        );
        return Err(invalid("stages[0].variants", problem));
    }
    let route = Arc::new(Route {
        signature: signature.clone(),
        split,
        application: spec.name.clone(),
        sticky: spec.sticky.clone(),
    });
    let mut routes = BTreeMap::from([(signature.name.clone(), route.clone())]);
    if let Some(wanted) = &stage.signature {
        if *wanted != signature.name {
            let problem = format!(
                "the models have no signature `{wanted}`, they have `{}`",
                signature.name
            );
            return Err(invalid("stages[0].signature", problem));
        }
        // The original's form with stages answers under the application's own name.
        let own_name = spec
            .name
            .as_str()
            .parse()
            .expect("names of applications and signatures have the same rules");
        routes.insert(own_name, route);
    }
    Ok(routes)
}

async fn load_split(
    spec: &ApplicationSpec,
    stage: &Stage,
    registry: &Registry,
    engines: &Engines,
) -> Result<TrafficSplit<Arc<Engine>>, InferenceError> {
    let invalid = |path: String, problem| InferenceError::InvalidApplication {
        name: spec.name.clone(),
        path,
        problem,
    };
    let mut shares = Vec::with_capacity(stage.variants.len());
    for (index, variant) in stage.variants.iter().enumerate() {
        let engine = engines
            .load(registry, &variant.model)
            .await
            .map_err(|error| match error {
                InferenceError::Registry(RegistryError::UnknownVersion(_)) => invalid(
                    format!("stages[0].variants[{index}].model"),
                    format!("version `{}` is not registered", variant.model),
                ),
                other => other,
            })?;
        shares.push((variant.weight, engine));
    }
    TrafficSplit::new(shares).map_err(|error| invalid("stages[0].variants".to_owned(), error.to_string()))
}
