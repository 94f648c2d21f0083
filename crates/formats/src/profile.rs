//! A sketch of a data set: enough to tell whether production traffic still looks like the training data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bins of each histogram of a [`DataProfile`].
pub const HISTOGRAM_BINS: usize = 20;
/// Rows and columns of [`DataProfile::mean_image`].
pub const MEAN_IMAGE_SIDE: usize = 7;

/// A sketch of the images a model was trained on. Fractions are kept to six decimal places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataProfile {
    /// How many images were seen.
    pub n_images: u64,
    /// How many images of each class, by class id.
    pub class_counts: Vec<u64>,
    /// Pixels by value, in [`HISTOGRAM_BINS`] equal bins over 0 to 1; the last bin includes 1 and all above.
    pub pixel_histogram: Vec<u64>,
    /// Mean of all pixels.
    pub pixel_mean: f64,
    /// Standard deviation of all pixels.
    pub pixel_std: f64,
    /// Images by their mean pixel ("ink"), in [`HISTOGRAM_BINS`] equal bins over 0 to 1.
    pub ink_histogram: Vec<u64>,
    /// Standard deviation of the images' ink; its mean is [`DataProfile::pixel_mean`].
    pub ink_std: f64,
    /// Mean pixel in each cell of a grid of [`MEAN_IMAGE_SIDE`] rows and as many columns, row-major: where the ink is.
    pub mean_image: Vec<f64>,
}
