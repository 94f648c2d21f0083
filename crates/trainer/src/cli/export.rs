//! What an export can be told.

use std::path::PathBuf;

use clap::ValueEnum;

/// Write an artifact in a format of other programs
///
/// The numbers stay what they are; names, shapes and fields are those that the server has too.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArgs {
    /// The artifact file, such as models/mnist/mnist.safetensors
    #[arg(value_name = "ARTIFACT")]
    pub artifact: PathBuf,

    /// The format to write
    #[arg(long, value_enum)]
    pub format: ExportFormat,

    /// The file to write; for `savedmodel` the folder
    #[arg(long, value_name = "PATH")]
    pub output: PathBuf,

    /// Replace an earlier export that lies there
    #[arg(long)]
    pub force: bool,
}

/// A format that other programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One file for onnxruntime and its like
    Onnx,
    /// A TensorFlow folder with the signature of the original, for TensorFlow and TensorFlow Serving
    #[value(name = "savedmodel")]
    SavedModel,
    /// Plain weights for PyTorch: the state dictionary of linear layers
    Safetensors,
}
