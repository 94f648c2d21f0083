//! What carries out the steps of a training.

mod burn;
#[cfg(test)]
mod tests;

use mnist_data::Batch;
use model::Network;

pub(crate) use self::burn::BurnEngine;

/// Holds weights and optimizer state, and moves them step by step.
///
/// Engines differ in how they compute, not in what: the same weights and the same batches give the same losses up to
/// the rounding of sums.
pub(crate) trait Engine {
    /// Takes one optimizer step and returns the mean loss of the batch, with the weights from before the step.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    fn step(&mut self, batch: &Batch) -> anyhow::Result<f32>;

    /// The weights as they are now.
    ///
    /// # Errors
    ///
    /// Where the device fails, or a weight is no finite number.
    fn network(&self) -> anyhow::Result<Network>;
}
