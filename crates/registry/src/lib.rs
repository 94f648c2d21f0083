//! A store of model versions and applications that never shows half of one.
//!
//! Every object is created once, whole, and never overwritten: version N of a model, revision N of an application,
//! entry N of the journal, an artifact under its own digest. So two publishers cannot share a number, and a program that is
//! killed at any moment leaves either nothing or the finished thing. It never looks inside an artifact and never decides
//! what "newest" should mean to a client: it hands out numbers.
//! Start reading at [`Registry::publish`]; where things lie is in `layout.rs`.

mod applications;
mod bucket;
mod document;
mod error;
mod journal;
mod layout;
mod models;
mod objects;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

use object_store::{ObjectStore, local::LocalFileSystem};
use tokio::sync::Semaphore;
use url::Url;

use formats::{api::PublishedVersion, journal::JournalEntry, version::ModelVersion};

pub use bucket::{Bucket, BucketError, Credentials, Trouble};
pub use error::{Corruption, RegistryError};
pub use models::Published;

use objects::Objects;

/// Artifacts that are read from a bucket at a time, which is to wait for the network.
const BUCKET_TURNS: usize = 16;

/// A store of models and applications. Any number of them, in any number of processes, may work on one store.
#[derive(Debug)]
pub struct Registry {
    objects: Objects,
    /// Version documents that were read before; they never change, so they are never read twice.
    known_versions: Mutex<HashMap<ModelVersion, Arc<PublishedVersion>>>,
    /// The same of the journal.
    known_entries: Mutex<BTreeMap<NonZeroU32, Arc<JournalEntry>>>,
    /// How many artifacts may be read and digested at a time.
    turns: Semaphore,
}

impl Registry {
    /// Opens the store at `location`, a folder (`registry`) or a URL (`file:///srv/registry`), and creates the folder
    /// where it is missing.
    ///
    /// Errors: another URL scheme, or a folder that cannot be opened.
    pub fn open(location: &str) -> Result<Self, RegistryError> {
        let folder = folder(location)?;
        let cannot_open = |source| RegistryError::Open {
            location: location.to_owned(),
            source,
        };
        fs::create_dir_all(&folder).map_err(|error| cannot_open(error.into()))?;
        let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| cannot_open(error.into()))?;
        // Without it a version could be announced, and lost with the power.
        Ok(Self::new(Arc::new(store.with_fsync(true))))
    }

    /// Opens the store in a bucket. Nothing is asked of it yet: whether it is there, the first call tells.
    ///
    /// Errors: certificates that cannot be used.
    pub fn in_bucket(bucket: &Bucket) -> Result<Self, RegistryError> {
        Ok(Self::on(Objects::unproven(bucket.store()?), BUCKET_TURNS))
    }

    /// A registry on a store that is already open.
    ///
    /// The store must refuse to create an object that exists (`PutMode::Create`) and list what was created before.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        // To read a file is work: more at a time than there are cores would not be done any earlier, and hold up everybody else.
        let n_cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::on(Objects::new(store), n_cores)
    }

    fn on(objects: Objects, n_turns: usize) -> Self {
        Self {
            objects,
            known_versions: Mutex::default(),
            known_entries: Mutex::default(),
            turns: Semaphore::new(n_turns),
        }
    }
}

/// The folder that `location` means.
fn folder(location: &str) -> Result<PathBuf, RegistryError> {
    if !location.contains("://") {
        return Ok(Path::new(location).to_owned());
    }
    let unusable = |reason| RegistryError::Location {
        location: location.to_owned(),
        reason,
    };
    let url = Url::parse(location).map_err(|_| unusable("it is not a URL"))?;
    if url.scheme() != "file" {
        return Err(unusable("only folders and `file://` URLs are supported"));
    }
    url.to_file_path()
        .map_err(|()| unusable("a `file://` URL has three slashes and an absolute path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_folder_or_a_file_url() {
        assert_eq!(folder("registry").unwrap(), Path::new("registry"));
        assert_eq!(folder("file:///srv/my%20models").unwrap(), Path::new("/srv/my models"));
    }

    #[test]
    fn a_location_of_another_kind_is_refused_with_the_reason() {
        let message = |location: &str| folder(location).unwrap_err().to_string();
        assert_eq!(
            message("s3://bucket/models"),
            "cannot use `s3://bucket/models` as a registry: only folders and `file://` URLs are supported"
        );
        assert_eq!(
            message("file://registry"),
            "cannot use `file://registry` as a registry: a `file://` URL has three slashes and an absolute path"
        );
    }
}
