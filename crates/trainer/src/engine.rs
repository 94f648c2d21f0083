//! What carries out the steps of a training.

mod burn;
mod native;
#[cfg(test)]
mod tests;

use mnist_data::Stretch;
use model::{Network, TrainingState};

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

    /// Everything that a step changes. With the number of steps it is all that a training needs to go on, to the bit.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    fn state(&mut self) -> anyhow::Result<TrainingState>;

    /// Goes back to where an engine of the same kind stood after `n_steps`; the shapes are those of its network.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    fn restore(&mut self, state: &TrainingState, n_steps: u32) -> anyhow::Result<()>;

    /// The class that the weights give each of `n_images` scaled images, `[n_images, n_pixels]`.
    ///
    /// # Errors
    ///
    /// Where the device fails, or a logit is no finite number.
    fn classify(&mut self, pixels: &[f32], n_images: usize) -> anyhow::Result<Vec<usize>> {
        Ok(self.network()?.classify(pixels, n_images)?.class_ids)
    }
}
