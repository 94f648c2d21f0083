//! A sketch of a data set: enough to tell whether production traffic still looks like the training data.

use serde::{Deserialize, Serialize};

/// A sketch of the images a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataProfile {
    /// How many images were seen.
    pub n_images: u64,
    /// How many images of each class, by class id.
    pub class_counts: Vec<u64>,
    /// Pixels by value, in equal bins over 0 to 1; the last bin includes 1.
    pub pixel_histogram: Vec<u64>,
    /// Mean of all pixels.
    pub pixel_mean: f64,
    /// Standard deviation of all pixels.
    pub pixel_std: f64,
    /// Images by their mean pixel ("ink"), in equal bins over 0 to 1.
    pub ink_histogram: Vec<u64>,
}
