//! The header of an artifact: what a model file says about itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, profile::DataProfile, report::Accuracy, signature::Signature};

/// The format number of artifacts that are called as they please, such as those taken in from others. 1 had no
/// [`TrainingSummary::recipe`]; both it and [`ARTIFACT_FORMAT_ORIGINAL`] are still understood.
pub const ARTIFACT_FORMAT: u32 = 3;
/// The format number of artifacts that are called as the original's models: programs that know no later one read them.
pub const ARTIFACT_FORMAT_ORIGINAL: u32 = 2;
/// The smallest format number that is still understood.
pub const ARTIFACT_FORMAT_MIN: u32 = 1;
/// The key of the safetensors metadata under which the header is kept, as one JSON string.
pub const HEADER_KEY: &str = "slipway";

/// Our header in a safetensors file. It holds no times and no paths: the same training gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArtifactHeader {
    /// From [`ARTIFACT_FORMAT_MIN`] to [`ARTIFACT_FORMAT`].
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// How the step size goes over the run: `constant`, `cosine` or `one-cycle`.
    pub schedule: String,
    /// Seed of weights, batches and noise.
    pub seed: u64,
    /// What else it was told. Format 1 had nothing to tell: no decay, no smoothing, images as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<EffectiveRecipe>,
    /// Mean loss over the last 100 steps, or over all where there were fewer.
    pub final_loss: f64,
    /// On the clean test images.
    pub clean: Accuracy,
    /// On the noisy test images.
    pub noisy: Accuracy,
}

/// The recipe of a training with the values that it really had. Beside these are the steps, the batch size, the learning rate
/// and the schedule of the [`TrainingSummary`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EffectiveRecipe {
    /// The recipe that it started from, such as `default`.
    pub name: String,
    /// The keys of all hyperparameters whose values are not the recipe's.
    pub overridden: Vec<String>,
    /// The part of the steps over which the step size rises from zero.
    pub warm_up_share: f64,
    /// What part of itself a weight loses each step, times the step size.
    pub weight_decay: f64,
    /// What Adam adds to the root of the mean squared gradient.
    pub epsilon: f64,
    /// The share of certainty that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// What became of the images.
    pub augmentation: EffectiveAugmentation,
}

/// Which parts of the rows were changed in which way, and how much at most. A part of 0 switches the way off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EffectiveAugmentation {
    /// The part that was shifted.
    pub shift_share: f64,
    /// The furthest along each axis.
    pub shift_pixels: u8,
    /// The part that was turned, stretched and slanted.
    pub affine_share: f64,
    /// The furthest to either side, in degrees.
    pub rotation: f64,
    /// The largest relative change of height and width.
    pub scale: f64,
    /// The furthest to either side, in pixels sideways for each pixel of height.
    pub shear: f64,
    /// The part that was bent.
    pub elastic_share: f64,
    /// How far pixels moved, in pixels, as a root mean square along each axis.
    pub elastic_pixels: f64,
    /// How far apart pixels had to be to move differently, in pixels.
    pub elastic_smoothness: f64,
    /// The part that got noise.
    pub noise_share: f64,
    /// The largest amplitude of a row, in units of a white pixel.
    pub noise_amplitude: f64,
}
