//! Why a request, a deploy or a publication did not succeed, by what its caller can do about it.

use std::{error::Error, fmt, num::NonZeroU32};

use model::ArtifactError;
use registry::RegistryError;
use thiserror::Error;

use formats::{
    name::{ApplicationName, ModelName, SignatureName},
    version::ModelVersion,
};

/// Why the applications did not do what was asked.
#[derive(Debug, Error)]
pub enum InferenceError {
    /// Nothing answers under this name.
    #[error("no application `{name}` is deployed; {}", Known("deployed", known))]
    UnknownApplication {
        /// What was asked for.
        name: ApplicationName,
        /// What is deployed.
        known: Vec<ApplicationName>,
    },
    /// The application is not called like this.
    #[error(
        "application `{application}` has no signature `{signature}`; {}",
        Known("it has", known)
    )]
    UnknownSignature {
        /// The application.
        application: ApplicationName,
        /// What was asked for.
        signature: SignatureName,
        /// What it has.
        known: Vec<SignatureName>,
    },
    /// There is nothing to go back to.
    #[error("application `{application}` has no revision before {oldest}")]
    NoEarlierRevision {
        /// The application.
        application: ApplicationName,
        /// Its only revision.
        oldest: NonZeroU32,
    },
    /// There is no such revision to go back to.
    #[error("application `{application}` has no revision {revision}, its newest is {newest}")]
    UnknownRevision {
        /// The application.
        application: ApplicationName,
        /// What was asked for.
        revision: NonZeroU32,
        /// Its newest revision.
        newest: NonZeroU32,
    },
    /// The model was unloaded, and is not asked for by its own name until it is loaded again.
    #[error("model `{model}` was unloaded, and answers once it is loaded again")]
    Unloaded {
        /// The model.
        model: ModelName,
    },
    /// The images are numbers, but too large for the network to tell anything.
    #[error("{path}: these values are too large for the model")]
    Overflow {
        /// The first such image, such as `imgs[3]`.
        path: String,
    },
    /// An application that cannot be carried out, with the place in its description.
    #[error("wrong application `{name}`: {problem}")]
    InvalidApplication {
        /// Its name.
        name: ApplicationName,
        /// Such as `stages[0].variants[1].model`.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// The bytes are not an artifact that can be served.
    #[error("the artifact cannot be served")]
    BrokenArtifact(#[from] BrokenArtifact),
    /// A registered version that cannot be served.
    #[error("version `{version}` cannot be served")]
    BrokenVersion {
        /// The version.
        version: ModelVersion,
        /// Why.
        #[source]
        source: BrokenArtifact,
    },
    /// The registry did not do its part.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl InferenceError {
    /// Why the registry could not do its part, as [`RegistryError::outage`] says.
    pub fn outage(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.outage(),
            _ => None,
        }
    }
}

/// Why bytes are no artifact that can be served.
#[derive(Debug, Error)]
pub enum BrokenArtifact {
    /// They are no artifact.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A blank image gave no usable answer.
    #[error("a blank image gives logits that are not finite")]
    WarmUp,
}

/// The error with its causes, as one sentence.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

/// Names in a message: a list that helps, not a directory.
struct Known<'a, T>(&'a str, &'a [T]);

const NAMES_SHOWN_MAX: usize = 10;

impl<T: fmt::Display> fmt::Display for Known<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(label, names) = self;
        if names.is_empty() {
            return write!(formatter, "{label}: none");
        }
        let shown: Vec<_> = names
            .iter()
            .take(NAMES_SHOWN_MAX)
            .map(|name| format!("`{name}`"))
            .collect();
        write!(formatter, "{label}: {}", shown.join(", "))?;
        match names.len() - shown.len() {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}
