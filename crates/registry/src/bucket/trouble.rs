//! What can go wrong with a bucket, in words for whoever keeps it.

use std::{error::Error, fmt};

use thiserror::Error;

/// A bucket did not do what was asked of it. The same call may succeed later: a bucket is repaired from outside.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("bucket `{bucket}` ({keeper}): cannot {action} `{key}`")]
pub struct BucketError {
    /// Which bucket.
    pub bucket: String,
    /// Who was asked for it: an address, or Amazon with the region.
    pub keeper: String,
    /// What was asked for.
    pub action: Action,
    /// The key, or what the keys begin with.
    pub key: String,
    /// Why it did not.
    #[source]
    pub trouble: Trouble,
}

/// What is asked of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The bytes of an object.
    Read,
    /// A new object.
    Create,
    /// The keys that begin in some way.
    List,
}

/// Why a bucket did not do what was asked. No text has anything in it that was secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Trouble {
    /// No answer, or half of one.
    #[error("expected an answer, found none: {0}")]
    Unreachable(String),
    /// Somebody answers who does not speak S3.
    #[error("expected an answer of S3, found status {status} without one: is the endpoint right?")]
    NotS3 {
        /// The status of the answer.
        status: u16,
    },
    /// No such bucket.
    #[error("expected a bucket of this name, found none")]
    NoBucket,
    /// The bucket is elsewhere.
    #[error("expected the bucket in region `{expected}`, found it in {found}")]
    OtherRegion {
        /// What we were told.
        expected: String,
        /// What the keeper says.
        found: String,
    },
    /// The credentials are wrong, or may not do this.
    #[error("expected credentials that may do this, found {said}")]
    Refused {
        /// What the keeper says of them.
        said: Said,
    },
    /// Anything else.
    #[error("expected success, found status {status}: {said}")]
    Failed {
        /// The status of the answer.
        status: u16,
        /// What the keeper says.
        said: Said,
    },
}

/// An error in the words of S3: a code, and a sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Such as `SlowDown`.
    pub code: String,
    /// One line of visible characters, none too many.
    pub message: String,
}

impl BucketError {
    /// The one behind `error`, if there is one.
    pub(crate) fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::List => "list",
        })
    }
}

impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.as_str(), self.message.as_str()) {
            ("", _) => formatter.write_str("no explanation"),
            (code, "") => write!(formatter, "`{code}`"),
            (code, message) => write!(formatter, "`{code}` ({message})"),
        }
    }
}
