//! Bodies of the management API that are not stored documents of their own, and the one form of every error answer.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    application::ApplicationRevision,
    artifact::ArtifactHeader,
    digest::Digest,
    name::{ApplicationName, ModelName},
    version::ModelVersion,
};

/// The format number of stored version documents.
pub const VERSION_FORMAT: u32 = 1;

/// Request header that makes an upload safe to repeat: the same key gives the same version.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Answer header that names the version which answered, such as `mnist:3`.
pub const MODEL_VERSION: &str = "x-model-version";

/// A published version, as the registry keeps it and the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedVersion {
    /// [`VERSION_FORMAT`].
    pub format: u32,
    /// Its name and number.
    pub model: ModelVersion,
    /// Digest of the artifact file.
    pub digest: Digest,
    /// Size of the artifact file.
    pub size_bytes: u64,
    /// When it was published, in milliseconds since 1970-01-01 UTC.
    pub published_at_ms: u64,
    /// The key with which it was published, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The artifact's own description of itself.
    pub header: ArtifactHeader,
}

/// Answer of `GET /api/models`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSummary {
    /// The model.
    pub name: ModelName,
    /// How many versions it has, which is also the number of the newest.
    pub versions: u32,
}

/// One application in the answer of `GET /api/applications`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApplicationState {
    /// Its name.
    pub name: ApplicationName,
    /// The revision that answers; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<ApplicationRevision>,
    /// The newest revision, where it should answer and cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenRevision>,
}

/// A revision that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenRevision {
    /// Its number.
    pub revision: NonZeroU32,
    /// Why, in a sentence for a person.
    pub reason: String,
}

/// Body of `POST /api/applications/{application}/rollback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rollback {
    /// The revision to go back to; absent: the one before the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<NonZeroU32>,
}

/// Answer of `GET /api/server`: who is listening here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerIdentity {
    /// [`ServerIdentity::PROGRAM`].
    pub program: String,
    /// Version of the program.
    pub version: String,
    /// Process id on its machine.
    pub pid: u32,
    /// When it started, in milliseconds since 1970-01-01 UTC.
    pub started_at_ms: u64,
}

impl ServerIdentity {
    /// What `program` says in an answer of our server.
    pub const PROGRAM: &'static str = "slipway-server";
}

/// Every error answer, whatever the route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// Whose mistake it was.
    pub error: ErrorKind,
    /// What is wrong.
    pub information: ErrorInformation,
}

/// Whose mistake an error is, in the original's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ErrorKind {
    /// The request was wrong.
    Client,
    /// The server failed.
    Internal,
}

/// What is wrong with a request, with the place where there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorInformation {
    /// One sentence for a person.
    pub message: String,
    /// The offending value's place in the body, such as `imgs[3][17]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What should be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}
