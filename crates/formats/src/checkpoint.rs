//! The header of a checkpoint: where a training stood that may go on later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::history::TrainingPoint;

/// The format number of checkpoints.
pub const CHECKPOINT_FORMAT: u32 = 1;
/// The key of the safetensors metadata under which the header is kept, as one JSON string.
pub const CHECKPOINT_KEY: &str = "slipway-checkpoint";
/// The key of the safetensors metadata under which the digest of header and tensors is kept.
pub const CHECKPOINT_DIGEST_KEY: &str = "slipway-checkpoint-digest";

/// Our header in the safetensors file of a checkpoint: all that a training is beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointHeader {
    /// [`CHECKPOINT_FORMAT`].
    pub format: u32,
    /// Everything that decides the weights, each under its name. Only a run with the same values may go on from here.
    pub settings: BTreeMap<String, String>,
    /// Widths from input to output: `[784, 256, 64, 10]`.
    pub layers: Vec<u32>,
    /// Steps taken. With the seed it is also the position in the data: the order of an epoch depends on nothing else.
    pub step: u32,
    /// Time spent training so far, in milliseconds.
    pub elapsed_ms: u64,
    /// Time spent in the steps alone, in milliseconds.
    pub steps_ms: u64,
    /// The course so far.
    pub points: Vec<TrainingPoint>,
    /// What the best weights so far reached, where a training may end early; they are among the tensors.
    pub best: Option<BestSoFar>,
}

/// The best weights that a training with patience has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestSoFar {
    /// Steps taken when it had them.
    pub step: u32,
    /// Right answers on the held-out images without noise.
    pub n_correct: u64,
    /// Looks at the held-out images since then.
    pub n_looks_since: u32,
}
