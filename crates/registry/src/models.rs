//! Models: an artifact under its digest first, then the number that makes it a version.

use std::{
    num::NonZeroU32,
    sync::{Arc, PoisonError},
};

use bytes::Bytes;
use tracing::{debug, info};

use formats::{
    api::{ModelSummary, PublishedVersion, VERSION_FORMAT},
    artifact::ArtifactHeader,
    digest::Digest,
    name::ModelName,
    version::ModelVersion,
};

use crate::{Corruption, Registry, RegistryError, document, error, layout, objects::Creation};

/// What became of a call to [`Registry::publish`].
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The version, as the store keeps it.
    pub version: Arc<PublishedVersion>,
    /// An earlier call with the same key had published it.
    pub already: bool,
}

impl Registry {
    /// Publishes an artifact as the next version of `model`; `header` is the artifact's own description of itself.
    ///
    /// A call that failed may be repeated: with the same `idempotency_key` it gives the same version, whether or not
    /// the failed call came far enough to make it. Without a key each call makes a version.
    ///
    /// Errors: a key that was used for another artifact; a damaged document; the store.
    pub async fn publish(
        &self,
        model: &ModelName,
        header: ArtifactHeader,
        artifact: Bytes,
        idempotency_key: Option<&str>,
    ) -> Result<Published, RegistryError> {
        let size_bytes = artifact.len() as u64;
        let digest = digest_of(artifact.clone()).await;
        let folder = layout::versions(model);
        let numbers = self.objects.numbers(&folder).await?;
        if let Some(key) = idempotency_key
            && let Some(version) = self.version_with_key(model, &numbers, key).await?
        {
            return same(version, digest, key);
        }
        self.keep_artifact(model, digest, artifact).await?;
        let mut newest = numbers.last().copied();
        loop {
            let number = error::after(newest, &folder)?;
            let version = ModelVersion {
                name: model.clone(),
                version: number,
            };
            let document = PublishedVersion {
                format: VERSION_FORMAT,
                model: version.clone(),
                digest,
                size_bytes,
                published_at_ms: document::now_ms(),
                idempotency_key: idempotency_key.map(str::to_owned),
                header: header.clone(),
            };
            match self
                .objects
                .create_document(&layout::version(&version), &document)
                .await?
            {
                Creation::Done => {
                    info!(model = %version, "published {version}");
                    return Ok(Published {
                        version: self.remember(document),
                        already: false,
                    });
                }
                Creation::Taken => debug!(model = %version, "{version} was taken a moment earlier"),
            }
            // Whoever took the number may be an earlier attempt of this very publication.
            if let Some(key) = idempotency_key {
                let taken = self.version(&version).await?;
                if taken.idempotency_key.as_deref() == Some(key) {
                    return same(taken, digest, key);
                }
            }
            newest = Some(number);
        }
    }

    /// All models that have a version, by name. A folder without one is not a model.
    pub async fn models(&self) -> Result<Vec<ModelSummary>, RegistryError> {
        let mut models = Vec::new();
        for folder in self.objects.folders(&layout::models()).await? {
            let Ok(name) = folder.parse::<ModelName>() else {
                continue;
            };
            if let Some(newest) = self.objects.numbers(&layout::versions(&name)).await?.last() {
                models.push(ModelSummary {
                    name,
                    versions: newest.get(),
                });
            }
        }
        Ok(models)
    }

    /// All versions of a model, oldest first.
    ///
    /// Errors: a model without versions; a damaged document.
    pub async fn versions(&self, model: &ModelName) -> Result<Vec<Arc<PublishedVersion>>, RegistryError> {
        let numbers = self.objects.numbers(&layout::versions(model)).await?;
        if numbers.is_empty() {
            return Err(RegistryError::UnknownModel(model.clone()));
        }
        let mut versions = Vec::with_capacity(numbers.len());
        for version in numbers {
            versions.push(
                self.version(&ModelVersion {
                    name: model.clone(),
                    version,
                })
                .await?,
            );
        }
        Ok(versions)
    }

    /// The document of one version.
    ///
    /// Errors: a version that does not exist; a damaged document.
    pub async fn version(&self, model: &ModelVersion) -> Result<Arc<PublishedVersion>, RegistryError> {
        let known = self
            .known_versions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(model)
            .cloned();
        if let Some(version) = known {
            return Ok(version);
        }
        let path = layout::version(model);
        let place = |document: &PublishedVersion| document.model.to_string();
        let document = self
            .objects
            .read_document(&path, VERSION_FORMAT, &model.to_string(), place)
            .await?;
        Ok(self.remember(document.ok_or_else(|| RegistryError::UnknownVersion(model.clone()))?))
    }

    /// The artifact of one version, as it was published.
    ///
    /// Errors: as [`Registry::version`]; an artifact that is missing or whose bytes changed.
    pub async fn artifact(&self, model: &ModelVersion) -> Result<Bytes, RegistryError> {
        let version = self.version(model).await?;
        self.checked_artifact(&model.name, version.digest, version.size_bytes)
            .await
    }

    async fn version_with_key(
        &self,
        model: &ModelName,
        numbers: &[NonZeroU32],
        key: &str,
    ) -> Result<Option<Arc<PublishedVersion>>, RegistryError> {
        // Newest first: a retry follows soon after what it repeats.
        for &version in numbers.iter().rev() {
            let version = self
                .version(&ModelVersion {
                    name: model.clone(),
                    version,
                })
                .await?;
            if version.idempotency_key.as_deref() == Some(key) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Puts the artifact under its digest. Where it is already, it must still be intact.
    async fn keep_artifact(&self, model: &ModelName, digest: Digest, bytes: Bytes) -> Result<(), RegistryError> {
        let size_bytes = bytes.len() as u64;
        match self.objects.create(&layout::artifact(model, digest), bytes).await? {
            Creation::Done => Ok(()),
            Creation::Taken => self.checked_artifact(model, digest, size_bytes).await.map(drop),
        }
    }

    async fn checked_artifact(
        &self,
        model: &ModelName,
        expected: Digest,
        size_bytes: u64,
    ) -> Result<Bytes, RegistryError> {
        let path = layout::artifact(model, expected);
        let corrupt = |reason| RegistryError::Corrupt {
            object: path.to_string(),
            reason,
        };
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        let bytes = self
            .objects
            .read(&path, size_bytes)
            .await?
            .ok_or_else(|| corrupt(Corruption::Missing))?;
        let found = digest_of(bytes.clone()).await;
        if found == expected {
            Ok(bytes)
        } else {
            Err(corrupt(Corruption::Digest { found, expected }))
        }
    }

    fn remember(&self, document: PublishedVersion) -> Arc<PublishedVersion> {
        let mut known_versions = self.known_versions.lock().unwrap_or_else(PoisonError::into_inner);
        known_versions
            .entry(document.model.clone())
            .or_insert_with(|| Arc::new(document))
            .clone()
    }
}

/// Answers a repeated publication, unless it brings other bytes than the first.
fn same(version: Arc<PublishedVersion>, digest: Digest, key: &str) -> Result<Published, RegistryError> {
    if version.digest == digest {
        Ok(Published { version, already: true })
    } else {
        Err(RegistryError::KeyReused {
            key: key.to_owned(),
            version: version.model.clone(),
        })
    }
}

/// Digests away from the threads that answer requests: a large artifact takes a tenth of a second.
async fn digest_of(bytes: Bytes) -> Digest {
    tokio::task::spawn_blocking(move || Digest::of(&bytes))
        .await
        .expect("digesting does not panic")
}
