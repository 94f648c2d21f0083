//! Registered versions that are asked for by their own name, without an application.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use registry::RegistryError;

use formats::{name::ModelName, version::ModelVersion};

use crate::{Applications, InferenceError, Route};

/// Versions that stay in memory because somebody asked for them; an application needs no place here.
const LOADED_MAX: usize = 8;

/// The versions that stay in memory because somebody asked for them.
#[derive(Default)]
pub(crate) struct Direct {
    /// The one that was asked for last comes last.
    loaded: Mutex<Vec<(ModelVersion, Arc<Route>)>>,
    /// Models that answer only where an application uses them, until somebody loads them again.
    unloaded: Mutex<BTreeSet<ModelName>>,
}

impl Applications {
    /// What answers for `version`, loaded where it is not in memory; the version that was not asked for longest may
    /// leave for it.
    ///
    /// Errors: a version that does not exist, is damaged, or cannot be served; a model that was unloaded.
    pub async fn version_route(&self, version: &ModelVersion) -> Result<Arc<Route>, InferenceError> {
        if self.is_unloaded(&version.name) {
            let model = version.name.clone();
            return Err(InferenceError::Unloaded { model });
        }
        if let Some(route) = self.direct.find(version) {
            return Ok(route);
        }
        let engine = self.engines.load(&self.registry, version).await?;
        let route = Arc::new(Route::to_version(engine));
        self.direct.keep(version.clone(), route.clone());
        Ok(route)
    }

    /// Loads the newest version of `model`, and lets all its versions answer by their own name again.
    ///
    /// Errors: a model without versions; as [`Applications::version_route`].
    pub async fn load_model(&self, model: &ModelName) -> Result<(), InferenceError> {
        let models = self.registry.models().await?;
        let newest = models.iter().find(|summary| summary.name == *model);
        let unknown = || RegistryError::UnknownModel(model.clone());
        let number = newest
            .and_then(|summary| summary.versions.try_into().ok())
            .ok_or_else(unknown)?;
        let version = ModelVersion {
            name: model.clone(),
            version: number,
        };
        let was_unloaded = self.direct.unloaded().remove(model);
        let loaded = self.version_route(&version).await;
        if loaded.is_err() && was_unloaded {
            self.direct.unloaded().insert(model.clone());
        }
        loaded.map(|_| ())
    }

    /// Lets no version of `model` answer by its own name until it is loaded again; applications that use it go on.
    ///
    /// Errors: a model without versions.
    pub async fn unload_model(&self, model: &ModelName) -> Result<(), InferenceError> {
        // Asked first, so that a client can put no name there that is none of a model.
        self.registry.versions(model).await?;
        self.direct.unloaded().insert(model.clone());
        self.direct.loaded().retain(|(version, _)| version.name != *model);
        Ok(())
    }

    /// Whether versions of `model` do not answer by their own name.
    pub fn is_unloaded(&self, model: &ModelName) -> bool {
        self.direct.unloaded().contains(model)
    }
}

impl Direct {
    fn find(&self, version: &ModelVersion) -> Option<Arc<Route>> {
        let mut loaded = self.loaded();
        let place = loaded.iter().position(|(found, _)| found == version)?;
        loaded[place..].rotate_left(1);
        loaded.last().map(|(_, route)| route.clone())
    }

    fn keep(&self, version: ModelVersion, route: Arc<Route>) {
        let mut loaded = self.loaded();
        loaded.retain(|(found, _)| *found != version);
        if loaded.len() == LOADED_MAX {
            loaded.remove(0);
        }
        loaded.push((version, route));
    }

    pub(crate) fn loaded(&self) -> MutexGuard<'_, Vec<(ModelVersion, Arc<Route>)>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unloaded(&self) -> MutexGuard<'_, BTreeSet<ModelName>> {
        self.unloaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
