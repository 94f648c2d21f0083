//! What only requests of the original's clients can end with. Statuses are found in `http/error.rs`, as for all others.

use thiserror::Error;

use super::{archive::ArchiveError, ids::Kind};

/// Why a request of the original's clients is refused.
#[derive(Debug, Error)]
pub(crate) enum HsError {
    #[error("the body must be announced as `multipart/form-data` with a boundary")]
    NotMultipart,
    #[error("the body is not what `multipart/form-data` looks like: {0}")]
    Multipart(multer::Error),
    #[error("the part `{0}` is missing")]
    MissingPart(&'static str),
    #[error("the part `{part}` has {n_bytes} bytes, expected at most {max_bytes}")]
    PartTooLong {
        part: &'static str,
        n_bytes: usize,
        max_bytes: usize,
    },
    #[error("the part `{0}` is there twice")]
    PartTwice(String),
    #[error("the part `{0}` is not UTF-8")]
    PartText(&'static str),
    #[error("wrong model name in the part `model_name`")]
    ModelName(#[from] formats::name::NameError),
    #[error("the part `payload` cannot be used")]
    Archive(#[from] ArchiveError),
    #[error("no {} has the id {id}", kind.name())]
    UnknownId { kind: Kind, id: u64 },
    #[error("no aggregation has the id {0}")]
    UnknownAggregation(u64),
    #[error(
        "data profiles are not computed here: a model of our trainer brings the one of its training images, and no other \
         has one"
    )]
    NoProfiles,
    #[error("an application `{0}` exists: it is changed by PUT, with its id")]
    Exists(formats::name::ApplicationName),
    #[error("`id` is missing: it says which application is changed")]
    NoId,
    #[error("the id {id} belongs to `{expected}`, and applications are not renamed: found `{found}`")]
    Renamed {
        id: u64,
        expected: formats::name::ApplicationName,
        found: formats::name::ApplicationName,
    },
}
