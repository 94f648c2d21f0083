//! The few calls on the store that everything else is made of.

use std::{num::NonZeroU32, sync::Arc};

use bytes::Bytes;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, PutMode, path::Path};

use crate::{Corruption, RegistryError, layout};

/// An object store in which nothing is ever overwritten.
#[derive(Debug)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
}

/// What became of an attempt to create an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Creation {
    /// It exists now, and this call made it.
    Done,
    /// It existed before.
    Taken,
}

impl Objects {
    pub(crate) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Creates the object whole, or finds that its name is taken.
    pub(crate) async fn create(&self, path: &Path, bytes: Bytes) -> Result<Creation, RegistryError> {
        match self.store.put_opts(path, bytes.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(Creation::Done),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Creation::Taken),
            Err(source) => Err(store_error(path, source)),
        }
    }

    /// The bytes of the object, or `None` where there is no such object.
    ///
    /// Errors: more than `size_max_bytes`, found before anything is read.
    pub(crate) async fn read(&self, path: &Path, size_max_bytes: u64) -> Result<Option<Bytes>, RegistryError> {
        let found: GetResult = match self.store.get(path).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(store_error(path, source)),
        };
        if found.meta.size > size_max_bytes {
            let reason = Corruption::Size {
                found: found.meta.size,
                max: size_max_bytes,
            };
            return Err(RegistryError::Corrupt {
                object: path.to_string(),
                reason,
            });
        }
        found
            .bytes()
            .await
            .map(Some)
            .map_err(|source| store_error(path, source))
    }

    /// The numbers taken in a folder of numbered documents, ascending. Whatever else lies there is none.
    pub(crate) async fn numbers(&self, folder: &Path) -> Result<Vec<NonZeroU32>, RegistryError> {
        let listing = self
            .store
            .list_with_delimiter(Some(folder))
            .await
            .map_err(|source| store_error(folder, source))?;
        let mut numbers: Vec<_> = listing
            .objects
            .iter()
            .filter_map(|object| layout::number(object.location.filename()?))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The names of the folders in `folder`, ascending.
    pub(crate) async fn folders(&self, folder: &Path) -> Result<Vec<String>, RegistryError> {
        let listing = self
            .store
            .list_with_delimiter(Some(folder))
            .await
            .map_err(|source| store_error(folder, source))?;
        let mut names: Vec<_> = listing
            .common_prefixes
            .iter()
            .filter_map(|path| Some(path.filename()?.to_owned()))
            .collect();
        names.sort_unstable();
        Ok(names)
    }
}

fn store_error(path: &Path, source: object_store::Error) -> RegistryError {
    RegistryError::Store {
        object: path.to_string(),
        source,
    }
}
