//! What a training run can be told, and the environment variables of the original that say the same.

use std::path::PathBuf;

use crate::{
    cli::{
        compute::ComputeArgs,
        gates::GateArgs,
        limits::LimitArgs,
        outputs::OutputArgs,
        recipe::{RecipeArgs, refusal},
    },
    device::DeviceKind,
    settings::Settings,
};

/// How to train.
#[derive(Debug, Clone, clap::Args)]
pub struct TrainArgs {
    /// Folder with the four IDX files; what is missing there is downloaded first
    #[arg(long, env = "MNIST_DATA_DIR", default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Folder that receives `mnist.safetensors`, its report (`mnist.report.html`, `mnist.report.json`) and its card
    #[arg(long, env = "MNIST_MODELS_DIR", default_value = "models/mnist", value_name = "DIR")]
    pub models_dir: PathBuf,

    #[command(flatten)]
    pub recipe: RecipeArgs,

    /// Decides first weights, order of images and noise: the same seed gives the same artifact
    #[arg(long, default_value = "1", value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,

    /// What computes
    #[arg(long, default_value = "native", value_enum)]
    pub device: DeviceKind,

    #[command(flatten)]
    pub gates: GateArgs,

    #[command(flatten)]
    pub compute: ComputeArgs,

    #[command(flatten)]
    pub limits: LimitArgs,

    #[command(flatten)]
    pub outputs: OutputArgs,

    /// Fail where files are missing, instead of downloading them
    #[arg(long)]
    pub no_download: bool,
}

impl TrainArgs {
    /// What was asked for, in the program's own types.
    ///
    /// # Errors
    ///
    /// Where two values do not go together.
    pub(crate) fn settings(self) -> anyhow::Result<Settings> {
        Ok(Settings {
            data_dir: self.data_dir,
            models_dir: self.models_dir,
            download: !self.no_download,
            training: self.recipe.settings(self.seed, self.device),
            gates: self.gates.gates(),
            compute: self.compute.compute(self.device)?,
            limits: self.limits.limits(),
            checkpoints: self.outputs.checkpoints(),
            outputs: self.outputs.outputs(),
        })
    }
}

fn seed(text: &str) -> Result<u64, String> {
    let expected = format!("a whole number from 0 to {}", u64::MAX);
    text.parse().map_err(|_| refusal("--seed", None, expected))
}
