//! The few calls on the store that everything else is made of.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{GetResult, ListResult, ObjectStore, ObjectStoreExt, PutMode, path::Path};

use crate::{BucketError, Corruption, RegistryError, layout};

/// An object store in which nothing is ever overwritten.
#[derive(Debug)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Whether anything was ever found here. Nothing is ever deleted, so a store that held something does so for ever;
    /// one that has nothing any more is another one, such as the folder on which a disk is not mounted.
    held_something: AtomicBool,
    /// Whether the store is known to refuse the creation of what exists, on which every number depends.
    refuses: AtomicBool,
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
        Self {
            store,
            held_something: AtomicBool::new(false),
            refuses: AtomicBool::new(true),
        }
    }

    /// As [`Objects::new`], on a store that may be one of those that overwrite whatever they are told.
    pub(crate) fn unproven(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            refuses: AtomicBool::new(false),
            ..Self::new(store)
        }
    }

    /// Creates the object whole, or finds that its name is taken.
    pub(crate) async fn create(&self, path: &Path, bytes: Bytes) -> Result<Creation, RegistryError> {
        let creation = self.try_create(path, bytes.clone()).await?;
        // The first thing that is created is created once more. Where that succeeds it has cost nothing: the bytes are the
        // same. Where it cannot be tried, the next creation tries it.
        if creation == Creation::Done
            && !self.refuses.load(Ordering::Relaxed)
            && self
                .try_create(path, bytes)
                .await
                .is_ok_and(|again| again == Creation::Done)
        {
            return Err(RegistryError::Overwrites {
                object: path.to_string(),
            });
        }
        Ok(creation)
    }

    async fn try_create(&self, path: &Path, bytes: Bytes) -> Result<Creation, RegistryError> {
        match self.store.put_opts(path, bytes.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(self.found(Creation::Done)),
            Err(object_store::Error::AlreadyExists { .. }) => {
                self.refuses.store(true, Ordering::Relaxed);
                Ok(self.found(Creation::Taken))
            }
            Err(source) => Err(store_error(path, source)),
        }
    }

    /// The bytes of the object, or `None` where there is no such object.
    ///
    /// Errors: more than `size_max_bytes`, found before anything is read.
    pub(crate) async fn read(&self, path: &Path, size_max_bytes: u64) -> Result<Option<Bytes>, RegistryError> {
        let found: GetResult = match self.store.get(path).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return self.nothing(path, None).await,
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
            .map(|bytes| self.found(Some(bytes)))
            .map_err(|source| store_error(path, source))
    }

    /// The numbers taken in a folder of numbered documents, ascending. Whatever else lies there is none.
    pub(crate) async fn numbers(&self, folder: &Path) -> Result<Vec<NonZeroU32>, RegistryError> {
        let objects = self.list(folder).await?.objects;
        let mut numbers: Vec<_> = (objects.iter())
            .filter_map(|object| layout::number(object.location.filename()?))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The highest number taken in a folder of numbered documents from `known` on, or `None` where there is none.
    pub(crate) async fn newest_since(
        &self,
        folder: &Path,
        known: NonZeroU32,
    ) -> Result<Option<NonZeroU32>, RegistryError> {
        // A listing begins behind a name, and its names come in the order of their numbers.
        let before = layout::document(folder, known.get() - 1);
        let listing = self.store.list_with_offset(Some(folder), &before);
        let newest = listing.try_fold(None, async |newest: Option<NonZeroU32>, object| {
            Ok(newest.max(number_in(folder, &object.location)))
        });
        newest.await.map_err(|source| store_error(folder, source))
    }

    /// The names of the folders in `folder`, ascending.
    pub(crate) async fn folders(&self, folder: &Path) -> Result<Vec<String>, RegistryError> {
        let folders = self.list(folder).await?.common_prefixes;
        let mut names: Vec<_> = (folders.iter())
            .filter_map(|path| Some(path.filename()?.to_owned()))
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn list(&self, folder: &Path) -> Result<ListResult, RegistryError> {
        let listing = self.store.list_with_delimiter(Some(folder)).await;
        let listing = listing.map_err(|source| store_error(folder, source))?;
        match is_empty(&listing) {
            true => self.nothing(folder, listing).await,
            false => Ok(self.found(listing)),
        }
    }

    /// Notes that there is a store where `finding` comes from.
    fn found<T>(&self, finding: T) -> T {
        self.held_something.store(true, Ordering::Relaxed);
        finding
    }

    /// `finding` for the nothing at `path`, unless the whole store is gone: that is no answer to any question.
    async fn nothing<T>(&self, path: &Path, finding: T) -> Result<T, RegistryError> {
        if !self.held_something.load(Ordering::Relaxed) {
            return Ok(finding);
        }
        let root = self.store.list_with_delimiter(None).await;
        match is_empty(&root.map_err(|source| store_error(path, source))?) {
            true => Err(RegistryError::Vanished),
            false => Ok(finding),
        }
    }
}

fn is_empty(listing: &ListResult) -> bool {
    listing.objects.is_empty() && listing.common_prefixes.is_empty()
}

/// The number of a document, if it lies in this very folder.
fn number_in(folder: &Path, document: &Path) -> Option<NonZeroU32> {
    let mut rest = document.prefix_match(folder)?;
    let name = rest.next()?;
    match rest.next() {
        None => layout::number(name.as_ref()),
        Some(_) => None,
    }
}

fn store_error(path: &Path, source: object_store::Error) -> RegistryError {
    match BucketError::behind(&source) {
        // It says all that the layers between would say again.
        Some(error) => Box::new(error.clone()).into(),
        None => RegistryError::Store {
            object: path.to_string(),
            source,
        },
    }
}
