//! What carries out the steps of a training.

mod burn;
mod native;
#[cfg(test)]
mod tests;

use mnist_data::Stretch;
use model::Network;

pub(crate) use self::{burn::BurnEngine, native::NativeEngine};

/// Holds the training images, weights and optimizer state, and moves them step by step.
///
/// Engines differ in how they compute, not in what: the same weights and the same rows give the same losses up to the
/// rounding of sums.
pub(crate) trait Engine {
    /// Takes one optimizer step for each of `learning_rates`, and sets `losses` to the mean loss of each step's batch
    /// with the weights from before the step. `stretch` holds the rows of all these batches, as many for each step.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    fn train(&mut self, stretch: &Stretch, learning_rates: &[f32], losses: &mut [f32]) -> anyhow::Result<()>;

    /// The weights as they are now.
    ///
    /// # Errors
    ///
    /// Where the device fails, or a weight is no finite number.
    fn network(&mut self) -> anyhow::Result<Network>;
}
