//! Engines: versions that are loaded, checked and warmed up. Applications that use the same version share one.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    thread,
};

use bytes::Bytes;
use model::{Artifact, Classifier, Scratch};
use registry::Registry;
use tokio::{sync::Mutex, task};
use tracing::info;

use formats::{artifact::ArtifactHeader, signature::Signature, version::ModelVersion};

use crate::{InferenceError, error::BrokenArtifact};

/// A loaded version.
pub struct Engine {
    version: ModelVersion,
    /// The version as text, which every answer names.
    label: String,
    classifier: Classifier,
}

/// The engines that some application uses now.
#[derive(Default)]
pub(crate) struct Engines {
    /// Weak, so that a version leaves memory with the last application, or request, that uses it. The lock is held
    /// while a version is loaded, so that two deploys at once load it once.
    loaded: Mutex<HashMap<ModelVersion, Weak<Engine>>>,
}

impl Engine {
    /// Which version it is.
    pub fn version(&self) -> &ModelVersion {
        &self.version
    }

    /// The same as text, such as `mnist:3`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How it is called.
    pub fn signature(&self) -> &Signature {
        &self.classifier.header().signature
    }

    /// The network.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }
}

impl Engines {
    /// The engine of `version`, loaded from `registry` where no application uses it yet.
    ///
    /// Errors: a version that does not exist, is damaged, or cannot be served.
    pub(crate) async fn load(
        &self,
        registry: &Registry,
        version: &ModelVersion,
    ) -> Result<Arc<Engine>, InferenceError> {
        let mut loaded = self.loaded.lock().await;
        if let Some(engine) = loaded.get(version).and_then(Weak::upgrade) {
            return Ok(engine);
        }
        let bytes = registry.artifact(version).await?;
        let broken = |source| InferenceError::BrokenVersion {
            version: version.clone(),
            source,
        };
        let classifier = check(bytes).await.map_err(broken)?;
        let engine = Arc::new(Engine {
            version: version.clone(),
            label: version.to_string(),
            classifier,
        });
        info!(model = %version, "loaded {version}");
        loaded.retain(|_, engine| engine.strong_count() > 0);
        loaded.insert(version.clone(), Arc::downgrade(&engine));
        Ok(engine)
    }
}

/// What the artifact in `bytes` says about itself, once it is proven that it can be served.
pub(crate) async fn inspect(bytes: Bytes) -> Result<ArtifactHeader, BrokenArtifact> {
    Ok(check(bytes).await?.header().clone())
}

/// Reads an artifact and runs it once, away from the threads that answer requests, and giving way to them where they want the
/// same core.
async fn check(bytes: Bytes) -> Result<Classifier, BrokenArtifact> {
    let read = move || {
        let artifact = Artifact::read(&bytes)?;
        thread::yield_now();
        let classifier = Classifier::new(&artifact);
        thread::yield_now();
        // The first prediction touches every weight, so that no request pays for it.
        let blank_image = vec![0.0; artifact.network().n_inputs()];
        classifier
            .classify(&blank_image, 1, &mut Scratch::default())
            .map_err(|_| BrokenArtifact::WarmUp)?;
        Ok(classifier)
    };
    task::spawn_blocking(read)
        .await
        .expect("reading an artifact gives an error where it cannot be read")
}
