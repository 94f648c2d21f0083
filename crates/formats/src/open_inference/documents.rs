//! What servers and models say of themselves, and the repository extension.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::element;
use crate::signature::{Field, Signature};

/// Answer of `GET /v2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerMetadata {
    /// The program.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it understands beyond the protocol.
    pub extensions: Vec<String>,
}

/// Answer of `GET /v2/health/live` and `GET /v2/health/ready`: both words in both, because clients look for either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// The process runs.
    pub live: bool,
    /// Every application is loaded, as far as it can be, and the server was not asked to end.
    pub ready: bool,
}

/// Answer of `GET /v2/models/…/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelReady {
    /// What the client calls the model.
    pub name: String,
    /// Whether it answers.
    pub ready: bool,
}

/// Answer of `GET /v2/models/…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelMetadata {
    /// What the client calls the model.
    pub name: String,
    /// The versions that may be asked for by number; an application has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// What computes the answers.
    pub platform: String,
    /// What a request must contain.
    pub inputs: Vec<TensorMetadata>,
    /// What an answer contains.
    pub outputs: Vec<TensorMetadata>,
}

/// A tensor of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TensorMetadata {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub datatype: String,
    /// Its lengths; -1 is any.
    pub shape: Vec<i64>,
}

/// Body of `POST /v2/repository/index`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IndexRequest {
    /// Only what answers.
    #[serde(default)]
    pub ready: bool,
}

/// One entry of the answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IndexEntry {
    /// An application, or a registered model.
    pub name: String,
    /// The version of the model; empty for an application.
    pub version: String,
    /// Whether it answers.
    pub state: State,
    /// Why it does not.
    pub reason: String,
}

/// Whether something answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It answers.
    Ready,
    /// It does not.
    Unavailable,
}

/// Body of `POST /v2/repository/models/…/load` and `…/unload`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadRequest {
    /// Settings of the protocol's own servers.
    #[serde(default)]
    pub parameters: BTreeMap<String, Value>,
}

/// Answer of the statistics extension.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statistics {
    /// One entry for each model and version.
    pub model_stats: Vec<ModelStatistics>,
}

/// What was asked of one model, over every protocol, since the server started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelStatistics {
    /// An application, or a registered model.
    pub name: String,
    /// The version that answered, `mnist:3` behind an application and `3` of a model; empty for requests that none
    /// answered.
    pub version: String,
    /// When it answered last, in milliseconds since 1970-01-01 UTC; 0: never.
    pub last_inference: u64,
    /// Images that were classified.
    pub inference_count: u64,
    /// Requests that were answered.
    pub execution_count: u64,
    /// How long they took.
    pub inference_stats: InferenceStatistics,
    /// One entry for each number of images; not kept here.
    pub batch_stats: Vec<Value>,
}

/// How long requests took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InferenceStatistics {
    /// Those that were answered, from their head to the answer.
    pub success: Duration,
    /// Those that were not.
    pub fail: Duration,
    /// Time in a queue, of which this server has none.
    pub queue: Duration,
    /// Reading the numbers, where a protocol of this family was spoken.
    pub compute_input: Duration,
    /// Classifying them.
    pub compute_infer: Duration,
    /// Writing the answer.
    pub compute_output: Duration,
}

/// How often, and how long all of them took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Duration {
    /// How often.
    pub count: u64,
    /// Nanoseconds of all of them.
    pub ns: u64,
}

impl ModelMetadata {
    /// What a model with this signature says of itself.
    pub fn new(name: String, versions: Vec<String>, signature: &Signature) -> Self {
        let tensors = |fields: &[Field]| fields.iter().map(TensorMetadata::new).collect();
        Self {
            name,
            versions,
            platform: "slipway".to_owned(),
            inputs: tensors(&signature.inputs),
            outputs: tensors(&signature.outputs),
        }
    }
}

impl TensorMetadata {
    fn new(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            datatype: element::name(field.element).to_owned(),
            shape: field.shape.iter().map(|dimension| i64::from(*dimension)).collect(),
        }
    }
}
