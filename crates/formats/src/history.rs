//! The course of a training, point by point.

use serde::{Deserialize, Serialize};

use crate::report::Accuracy;

/// The format number of the lines of a history file.
pub const HISTORY_FORMAT: u32 = 1;

/// What a training was like over some steps; one line of `mnist.history.jsonl`.
///
/// Numbers that are measured have six significant digits, so that they are read back from JSON exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingPoint {
    /// [`HISTORY_FORMAT`]. Each line has it, so that each can be read alone.
    pub format: u32,
    /// Steps taken so far, this one included.
    pub step: u32,
    /// In which pass over the training images the step was taken, counted from 1.
    pub epoch: u32,
    /// Mean loss over the steps since the point before.
    pub loss: f64,
    /// Step size of the optimizer in this step.
    pub learning_rate: f64,
    /// Since the point before.
    pub steps_per_second: f64,
    /// On the watched images without noise, where they were looked at.
    pub clean: Option<Accuracy>,
    /// On the watched images with noise, where they were looked at.
    pub noisy: Option<Accuracy>,
    /// Time spent training so far, in milliseconds; what an interrupted run spent before it went on counts.
    pub elapsed_ms: u64,
}
