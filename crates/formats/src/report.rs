//! Reports: what a training run and a test through the gateway reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    artifact::TrainingSummary, digest::Digest, evaluation::Evaluation, history::TrainingPoint, name::ApplicationName,
    version::ModelVersion,
};

/// The format number of training reports. 1 had neither course nor evaluation, images nor machine.
pub const TRAINING_REPORT_FORMAT: u32 = 2;
/// The format number of test reports.
pub const TEST_REPORT_FORMAT: u32 = 1;

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Images with the right answer.
    pub correct: u64,
    /// Images that were answered.
    pub total: u64,
}

impl Accuracy {
    /// The share of right answers, 0 to 1; 0 where nothing was answered, so that an empty test never passes.
    pub fn fraction(self) -> f64 {
        if self.total == 0 {
            0.0
        } else {
            self.correct as f64 / self.total as f64
        }
    }
}

/// What `trainer` leaves beside the artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingReport {
    /// [`TRAINING_REPORT_FORMAT`].
    pub format: u32,
    /// Digest of the artifact file.
    pub artifact: Digest,
    /// Widths of the network from input to output.
    pub layers: Vec<u32>,
    /// Settings and results, as in the artifact.
    pub training: TrainingSummary,
    /// Time of the steps alone.
    pub training_ms: u64,
    /// Time of the evaluation on the test images.
    pub evaluation_ms: u64,
    /// On what it was trained and measured.
    pub images: ImageCounts,
    /// Where it took place.
    pub machine: Machine,
    /// How it went.
    pub history: Vec<TrainingPoint>,
    /// What it reached on the test images.
    pub evaluation: Evaluation,
}

/// The images of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageCounts {
    /// Trained on.
    pub train: u64,
    /// Taken out of the training images to be watched, and never trained on.
    pub held_out: u64,
    /// Measured on, at the end.
    pub test: u64,
    /// Height of each, in pixels.
    pub rows: u64,
    /// Width of each, in pixels.
    pub columns: u64,
}

/// The machine of a training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its name, where the system tells it.
    pub processor: Option<String>,
    /// Cores that the program may use.
    pub cores: u64,
    /// Threads that trained.
    pub threads: u64,
    /// Which instructions the kernels used, such as `avx512`.
    pub instruction_set: String,
    /// Operating system and architecture, such as `linux x86_64`.
    pub system: String,
}

/// What `pipeline test` leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestReport {
    /// [`TEST_REPORT_FORMAT`].
    pub format: u32,
    /// The application that was asked.
    pub application: ApplicationName,
    /// The versions that answered.
    pub versions: Vec<ModelVersion>,
    /// The clean test images.
    pub clean: TestScore,
    /// The noisy test images.
    pub noisy: TestScore,
    /// Every threshold was met and every request was answered.
    pub passed: bool,
}

/// One set of test images, sent through the gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestScore {
    /// Requests sent, one image each.
    pub requests: u64,
    /// Requests without a usable answer; they are no wrong answers.
    pub failures: u64,
    /// Of the requests that were answered.
    pub accuracy: Accuracy,
    /// The gate, if there is one, 0 to 1.
    pub accuracy_min: Option<f64>,
    /// Median time of a request.
    pub p50_us: u64,
    /// 99th percentile of the time of a request.
    pub p99_us: u64,
}
