//! The header of an artifact: what a model file says about itself.

use serde::{Deserialize, Serialize};

use crate::{digest::Digest, profile::DataProfile, report::Accuracy, signature::Signature};

/// The format number of artifacts.
pub const ARTIFACT_FORMAT: u32 = 1;
/// The key of the safetensors metadata under which the header is kept, as one JSON string.
pub const HEADER_KEY: &str = "slipway";

/// Our header in a safetensors file. It holds no times and no paths: the same training gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactHeader {
    /// [`ARTIFACT_FORMAT`].
    pub format: u32,
    /// How the model is called.
    pub signature: Signature,
    /// Widths from input to output: `[784, 256, 64, 10]`.
    pub layers: Vec<u32>,
    /// Digest of all bytes behind the safetensors header: the tensors, in the order of their names.
    pub tensors: Digest,
    /// How it was trained.
    pub training: TrainingSummary,
    /// What it was trained on.
    pub profile: DataProfile,
}

/// How a model was trained and what it reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSummary {
    /// Engine and device, such as `burn ndarray`.
    pub engine: String,
    /// Optimizer steps taken.
    pub steps: u32,
    /// Images per step.
    pub batch_size: u32,
    /// Largest step size of the Adam optimizer.
    pub learning_rate: f64,
    /// How the step size goes over the run: `constant` or `cosine`.
    pub schedule: String,
    /// Seed of weights, batches and noise.
    pub seed: u64,
    /// Mean loss over the last 100 steps, or over all where there were fewer.
    pub final_loss: f64,
    /// On the clean test images.
    pub clean: Accuracy,
    /// On the noisy test images.
    pub noisy: Accuracy,
}
