//! What can go wrong with a store, by what its caller can do about it.

use std::{error::Error, io, num::NonZeroU32};

use thiserror::Error;

use formats::{
    digest::Digest,
    name::{ApplicationName, ModelName},
    version::ModelVersion,
};

use crate::BucketError;

/// Why the registry did not do what was asked.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The location is no place where a registry can be.
    #[error("cannot use `{location}` as a registry: {reason}")]
    Location {
        /// As it was given.
        location: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The certificates to believe cannot be read.
    #[error("cannot use `{file}` as the certificates of a bucket's keeper")]
    Certificates {
        /// Which file.
        file: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The folder cannot be created or opened.
    #[error("cannot open the registry `{location}`")]
    Open {
        /// As it was given.
        location: String,
        /// What the file system says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No version of this model was ever published.
    #[error("no model `{0}` is registered")]
    UnknownModel(ModelName),
    /// This version was never published.
    #[error("no version `{0}` is registered")]
    UnknownVersion(ModelVersion),
    /// This application was never deployed.
    #[error("no application `{0}` is registered")]
    UnknownApplication(ApplicationName),
    /// One idempotency key stands for one artifact.
    #[error("the idempotency key `{key}` belongs to `{version}`, which is another artifact")]
    KeyReused {
        /// The key.
        key: String,
        /// What was published with it.
        version: ModelVersion,
    },
    /// The description of a version or application is larger than documents may be.
    #[error("a document of {size_bytes} bytes, expected at most {size_max_bytes}")]
    TooLarge {
        /// Its size as JSON.
        size_bytes: u64,
        /// The limit.
        size_max_bytes: u64,
    },
    /// Every number of this model or application is taken.
    #[error("no number is left under `{folder}`")]
    NumbersUsedUp {
        /// Where the numbers are.
        folder: String,
    },
    /// An object of the store is not what its name says. It never hides its neighbours.
    #[error("`{object}` in the registry is damaged or was not written by this program")]
    Corrupt {
        /// Its path in the store.
        object: String,
        /// What is wrong with it.
        #[source]
        reason: Corruption,
    },
    /// The store held something before, and nothing now.
    #[error("the registry is gone: nothing is where it was")]
    Vanished,
    /// The bucket did not do its part; the same call may succeed later.
    #[error(transparent)]
    Bucket(#[from] Box<BucketError>),
    /// The store creates an object a second time, so two publishers could share a number.
    #[error(
        "the registry overwrites `{object}`: expected a service that refuses to create what exists (`If-None-Match: *`)"
    )]
    Overwrites {
        /// What was there already.
        object: String,
    },
    /// The store itself failed; the same call may succeed later.
    #[error("the registry cannot reach `{object}`")]
    Store {
        /// Its path in the store.
        object: String,
        /// What the store says.
        #[source]
        source: object_store::Error,
    },
}

impl RegistryError {
    /// Why the store could not do its part, in words that name no place of this machine; `None` where it did. The same
    /// call may succeed later, without anybody repairing anything in the store.
    pub fn outage(&self) -> Option<String> {
        match self {
            Self::Vanished => Some("nothing is where it was".to_owned()),
            Self::Overwrites { .. } => Some(self.to_string()),
            Self::Bucket(error) => Some(format!("{error}: {}", error.trouble)),
            Self::Store { source, .. } => {
                let mut cause: Option<&(dyn Error + 'static)> = Some(source);
                while let Some(error) = cause {
                    if let Some(error) = error.downcast_ref::<io::Error>() {
                        return Some(error.kind().to_string());
                    }
                    cause = error.source();
                }
                Some("the store failed".to_owned())
            }
            _ => None,
        }
    }
}

/// What is wrong with an object.
#[derive(Debug, Error)]
pub enum Corruption {
    /// It is not the JSON document that belongs here.
    #[error("it is not a valid document")]
    Json(#[from] serde_json::Error),
    /// A document of another format.
    #[error("format {found}, expected {expected}")]
    Format {
        /// The format number it has.
        found: u32,
        /// The one this program reads.
        expected: u32,
    },
    /// A document that was moved: it describes something else than its path says.
    #[error("it describes `{0}`")]
    Misplaced(String),
    /// Longer than recorded, or than any document is.
    #[error("{found} bytes, expected at most {max}")]
    Size {
        /// Its length.
        found: u64,
        /// The longest allowed.
        max: u64,
    },
    /// Its bytes changed.
    #[error("digest {found}, expected {expected}")]
    Digest {
        /// Of the bytes that are there.
        found: Digest,
        /// Of the bytes that were published.
        expected: Digest,
    },
    /// A version document whose artifact is gone.
    #[error("it does not exist, although a version needs it")]
    Missing,
}

/// The number after `number`, of which there are 2³² − 1.
pub(crate) fn after(
    number: Option<NonZeroU32>,
    folder: &object_store::path::Path,
) -> Result<NonZeroU32, RegistryError> {
    match number {
        None => Ok(NonZeroU32::MIN),
        Some(number) => number.checked_add(1).ok_or_else(|| RegistryError::NumbersUsedUp {
            folder: folder.to_string(),
        }),
    }
}
