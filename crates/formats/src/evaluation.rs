//! What a model reaches on test images, in every detail that a report shows.
//!
//! Fractions are kept to six decimal places, so that they are read back from JSON exactly.

use serde::{Deserialize, Serialize};

use crate::{digest::Digest, report::Accuracy};

/// The format number of what `trainer evaluate --json` prints.
pub const EVALUATION_FORMAT: u32 = 1;

/// What `trainer evaluate --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationReport {
    /// [`EVALUATION_FORMAT`].
    pub format: u32,
    /// Digest of the artifact file.
    pub artifact: Digest,
    /// What it reaches.
    pub evaluation: Evaluation,
}

/// What a network reaches on a set of images, with the arithmetic that serves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The images as they are.
    pub clean: Measures,
    /// The same images with a random number from 0 up to 1 added to every pixel.
    pub noisy: Measures,
    /// Accuracy by amplitude of the noise, from no noise upwards, on every n-th image.
    pub by_noise: Vec<NoiseAccuracy>,
    /// Clean images with a wrong answer, those with the most probable ones first.
    pub worst_errors: Vec<WrongAnswer>,
}

/// What a network reaches on one set of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// Over all classes.
    pub accuracy: Accuracy,
    /// How many images of each class got each answer. `[n_classes][n_classes]`: class, then answer.
    pub confusion: Vec<Vec<u64>>,
    /// By class id.
    pub classes: Vec<ClassMeasures>,
    /// Whether probabilities are right as often as they say.
    pub calibration: Calibration,
}

/// What a network reaches on the images of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassMeasures {
    /// Images of this class.
    pub images: u64,
    /// Images that got this class as answer.
    pub answers: u64,
    /// Which part of these answers is right; none without such answers.
    pub precision: Option<f64>,
    /// Which part of these images is recognised; none without such images.
    pub recall: Option<f64>,
}

/// Whether probabilities are right as often as they say: Guo et al., "On Calibration of Modern Neural Networks",
/// arXiv:1706.04599, section 2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Expected calibration error: how far mean probability and accuracy of a bin are apart, on average over the images.
    pub error: f64,
    /// Images by the probability of their answer, in equal bins over 0 to 1.
    pub bins: Vec<CalibrationBin>,
}

/// The images whose answer has a probability above that of the bin before and up to this one's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationBin {
    /// The largest probability of the bin.
    pub probability_max: f64,
    /// How many there are, and how many of them got the right answer.
    pub accuracy: Accuracy,
    /// Mean probability of their answers; 0 where there are none.
    pub probability_mean: f64,
}

/// Accuracy at one amplitude of the noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseAccuracy {
    /// A random number from 0 up to this is added to every pixel.
    pub amplitude: f64,
    /// On the images that were looked at.
    pub accuracy: Accuracy,
}

/// An image that got a wrong answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongAnswer {
    /// Which image of the set, counted from 0.
    pub image: u32,
    /// The class that it shows.
    pub label: u32,
    /// The class that was answered.
    pub class_id: u32,
    /// The probability of that answer.
    pub probability: f64,
}
