//! Flags that say how good a model must be.

use crate::{cli::recipe::refusal, gates::Gates};

/// Least shares of right answers. A model that misses one is kept aside as `mnist.rejected.safetensors`, and the program ends
/// with exit code 1.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct GateArgs {
    /// Least share of right answers on the clean test images, 0 to 1; a model below it is kept aside
    #[arg(long, value_name = "X", value_parser = accuracy_min, allow_negative_numbers = true)]
    pub accuracy_min: Option<f64>,

    /// Least share of right answers on the noisy test images, 0 to 1; a model below it is kept aside
    #[arg(long, value_name = "X", value_parser = noisy_accuracy_min, allow_negative_numbers = true)]
    pub noisy_accuracy_min: Option<f64>,
}

impl GateArgs {
    pub(crate) fn gates(self) -> Gates {
        Gates {
            accuracy_min: self.accuracy_min,
            noisy_accuracy_min: self.noisy_accuracy_min,
        }
    }
}

fn accuracy_min(text: &str) -> Result<f64, String> {
    share("--accuracy-min", text)
}

fn noisy_accuracy_min(text: &str) -> Result<f64, String> {
    share("--noisy-accuracy-min", text)
}

fn share(flag: &str, text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| refusal(flag, None, "a share of right answers from 0 to 1, such as 0.985"))
}
