//! What an evaluation can be told.

use std::path::PathBuf;

/// Measure an artifact on the test images, clean and noisy
///
/// The images are classified with the very arithmetic that serves them. Nothing is written and nothing is fetched.
#[derive(Debug, Clone, clap::Args)]
pub struct EvaluateArgs {
    /// The artifact file, such as models/mnist/mnist.safetensors
    #[arg(value_name = "ARTIFACT")]
    pub artifact: PathBuf,

    /// Folder with the two IDX files of test images
    #[arg(long, env = "MNIST_DATA_DIR", default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Print one JSON document instead of a table
    #[arg(long)]
    pub json: bool,
}
