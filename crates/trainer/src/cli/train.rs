//! What a training run can be told, and the environment variables of the original that say the same.

use std::{num::NonZeroU32, path::PathBuf};

use crate::{
    cli::compute::ComputeArgs,
    device::DeviceKind,
    schedule::Schedule,
    settings::{Settings, TrainingSettings},
};

/// Most optimizer steps of one run: an hour even at the fastest, and far beyond what the images can teach.
pub const STEPS_MAX: u32 = 10_000_000;
/// Most images of one batch: more than MNIST has.
pub const BATCH_SIZE_MAX: u32 = 65_536;
/// Largest step size: a hundred times the tutorial's, with which nothing is learnt any more.
pub const LEARNING_RATE_MAX: f64 = 1.0;

/// How to train.
#[derive(Debug, Clone, clap::Args)]
pub struct TrainArgs {
    /// Folder with the four IDX files; what is missing there is downloaded first
    #[arg(long, env = "MNIST_DATA_DIR", default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Folder that receives `mnist.safetensors` and `mnist.report.json`
    #[arg(long, env = "MNIST_MODELS_DIR", default_value = "models/mnist", value_name = "DIR")]
    pub models_dir: PathBuf,

    /// Optimizer steps to take
    #[arg(long, env = "LEARNING_STEPS", default_value = "10000", value_name = "N", value_parser = steps, allow_negative_numbers = true)]
    pub steps: NonZeroU32,

    /// Step size of the Adam optimizer
    #[arg(long, env = "LEARNING_RATE", default_value = "0.01", value_name = "X", value_parser = learning_rate, allow_negative_numbers = true)]
    pub learning_rate: f64,

    /// How the step size goes over the run
    #[arg(long, default_value = "constant", value_enum)]
    pub schedule: Schedule,

    /// Images per step
    #[arg(long, env = "BATCH_SIZE", default_value = "128", value_name = "N", value_parser = batch_size, allow_negative_numbers = true)]
    pub batch_size: NonZeroU32,

    /// Decides first weights, order of images and noise: the same seed gives the same artifact
    #[arg(long, default_value = "1", value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: u64,

    /// What computes
    #[arg(long, default_value = "native", value_enum)]
    pub device: DeviceKind,

    #[command(flatten)]
    pub compute: ComputeArgs,

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
            training: TrainingSettings {
                steps: self.steps,
                batch_size: self.batch_size,
                learning_rate: self.learning_rate,
                schedule: self.schedule,
                seed: self.seed,
                device: self.device,
            },
            compute: self.compute.compute(self.device)?,
        })
    }
}

// Negative numbers are let through to these parsers, whose messages name the range; clap would take them for flags. Clap
// names the flag but not the variable that a value came from, so the messages name both.

fn steps(text: &str) -> Result<NonZeroU32, String> {
    count(text, STEPS_MAX)
        .ok_or_else(|| format!("`--steps` and LEARNING_STEPS take a whole number from 1 to {STEPS_MAX}"))
}

fn batch_size(text: &str) -> Result<NonZeroU32, String> {
    count(text, BATCH_SIZE_MAX)
        .ok_or_else(|| format!("`--batch-size` and BATCH_SIZE take a whole number from 1 to {BATCH_SIZE_MAX}"))
}

fn learning_rate(text: &str) -> Result<f64, String> {
    let in_range = |rate: &f64| *rate > 0.0 && *rate <= LEARNING_RATE_MAX;
    text.parse().ok().filter(in_range).ok_or_else(|| {
        format!("`--learning-rate` and LEARNING_RATE take a number above 0, at most {LEARNING_RATE_MAX}")
    })
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("`--seed` takes a whole number from 0 to {}", u64::MAX))
}

fn count(text: &str, most: u32) -> Option<NonZeroU32> {
    text.parse().ok().filter(|number: &NonZeroU32| number.get() <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_rates_outside_their_range_are_refused() {
        for text in ["0", "-1", "10000001", "1e4", "ten", "", " 7", "4294967296"] {
            assert!(steps(text).is_err(), "{text}");
        }
        for text in ["0", "65537", "128.0"] {
            assert!(batch_size(text).is_err(), "{text}");
        }
        for text in ["0", "-0.01", "1.01", "NaN", "inf", "", "0,01"] {
            assert!(learning_rate(text).is_err(), "{text}");
        }
        assert_eq!(learning_rate("1e-3"), Ok(0.001));
    }
}
