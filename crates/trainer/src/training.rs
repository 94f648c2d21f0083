//! The loop of a training run.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
};

use console::Progress;
use mnist_data::{Augmenter, Batches, Stretch};
use thiserror::Error;

use crate::{engine::Engine, settings::TrainingSettings};

/// Steps that an engine takes in one go: enough for it to prepare a batch during the step before, few enough for
/// Ctrl-C to be heard at once.
const STRETCH: usize = 50;
/// How many of the last steps the final loss is a mean of.
const FINAL_STEPS: usize = 100;
/// A loss that no network comes back from. Guessing among ten classes costs 2.3; step sizes that are too large but still
/// teach something reach a hundred in their first steps on MNIST; beyond a thousand all hidden units end up dead.
const LOSS_MAX: f32 = 1e3;

/// Takes all steps and returns the mean loss of the last ones, or nothing if it was `interrupted` before.
///
/// # Errors
///
/// [`Diverged`], or where the engine's device fails.
pub(crate) fn train(
    engine: &mut dyn Engine,
    batches: &mut Batches<'_>,
    augmenter: &Augmenter<'_>,
    settings: &TrainingSettings,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<f64>> {
    let steps = settings.steps.get();
    let batch_size = batches.batch_size();
    let mut rows = Vec::with_capacity(STRETCH * batch_size);
    let mut stretch = Stretch::default();
    let schedule = settings.rates();
    let mut rates = Vec::with_capacity(STRETCH);
    let mut losses = Vec::with_capacity(STRETCH);
    let mut recent = VecDeque::with_capacity(FINAL_STEPS);
    let mut progress = Progress::start("training", steps.into(), "steps");
    let mut taken = 0;
    while taken < steps {
        if interrupted.load(Ordering::Relaxed) {
            progress.finish(&format!("stopped after {taken} of {steps} steps"));
            return Ok(None);
        }
        let n_steps = (steps - taken).min(STRETCH as u32);
        rows.clear();
        (0..n_steps).for_each(|_| rows.extend_from_slice(batches.next_rows()));
        augmenter.fill(taken.into(), batch_size, &rows, &mut stretch);
        rates.clear();
        rates.extend((taken..taken + n_steps).map(|step| schedule.at(step)));
        losses.resize(n_steps as usize, 0.0);
        engine.train(&stretch, &rates, &mut losses)?;
        for &loss in &losses {
            taken += 1;
            if loss.is_nan() || loss > LOSS_MAX {
                progress.finish(&format!("stopped at step {taken} of {steps}"));
                let (step, learning_rate) = (taken, settings.learning_rate);
                return Err(Diverged {
                    step,
                    loss,
                    learning_rate,
                }
                .into());
            }
            if recent.len() == FINAL_STEPS {
                recent.pop_front();
            }
            recent.push_back(f64::from(loss));
        }
        progress.note(&format!("loss {:.4}", mean(&recent)));
        progress.set(taken.into());
    }
    let final_loss = mean(&recent);
    progress.finish(&format!("took {steps} steps, loss {final_loss:.4}"));
    Ok(Some(final_loss))
}

/// The loss has left the range in which anything is learnt.
#[derive(Debug, Error)]
#[error("the loss of step {step} is {loss} with learning rate {learning_rate}: the training has diverged")]
pub struct Diverged {
    /// Counted from 1.
    pub step: u32,
    /// NaN, infinite or very large.
    pub loss: f32,
    /// The step size that it happened with.
    pub learning_rate: f64,
}

fn mean(losses: &VecDeque<f64>) -> f64 {
    losses.iter().sum::<f64>() / losses.len() as f64
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};

    use mnist_data::Dataset;
    use model::Network;
    use ndarray::Array3;

    use super::*;
    use crate::{device::DeviceKind, recipe::Recipe};

    /// An engine that learns nothing and says these losses, one after the other, and then that of guessing.
    struct Rehearsal<'a>(std::slice::Iter<'a, f32>);

    impl Engine for Rehearsal<'_> {
        fn train(&mut self, _: &Stretch, _: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
            losses.fill_with(|| *self.0.next().unwrap_or(&2.3));
            Ok(())
        }

        fn network(&mut self) -> anyhow::Result<Network> {
            unreachable!("a loop of steps asks for no weights")
        }
    }

    fn train_with(losses: &[f32], steps: u32, interrupted: bool) -> anyhow::Result<Option<f64>> {
        let dataset = Dataset::new(Array3::zeros((2, 1, 1)), vec![0, 1], 2).unwrap();
        let mut batches = Batches::new(&dataset, NonZeroUsize::MIN, 1).unwrap();
        let settings = TrainingSettings {
            steps: NonZeroU32::new(steps).unwrap(),
            batch_size: NonZeroU32::MIN,
            learning_rate: 0.5,
            ..Recipe::Tutorial.settings(1, DeviceKind::Ndarray)
        };
        let augmenter = Augmenter::new(&dataset, settings.augmentation, 1, NonZeroUsize::MIN).unwrap();
        let interrupted = AtomicBool::new(interrupted);
        let mut engine = Rehearsal(losses.iter());
        train(&mut engine, &mut batches, &augmenter, &settings, &interrupted)
    }

    #[test]
    fn the_final_loss_is_the_mean_of_the_last_steps() {
        let losses: Vec<f32> = [vec![9.0; 50], vec![1.0; 50], vec![2.0; 50]].concat();
        assert_eq!(train_with(&losses, 150, false).unwrap(), Some(1.5));
        assert_eq!(train_with(&[3.0, 4.0], 2, false).unwrap(), Some(3.5));
    }

    #[test]
    fn a_loss_that_is_no_number_or_huge_stops_at_its_step() {
        for wrong in [f32::NAN, f32::INFINITY, 2e3] {
            let error = train_with(&[2.3, 50.0, wrong], 10, false).unwrap_err();
            let diverged: &Diverged = error.downcast_ref().unwrap();
            assert_eq!((diverged.step, diverged.learning_rate), (3, 0.5));
            assert_eq!(diverged.loss.to_bits(), wrong.to_bits());
        }
    }

    #[test]
    fn an_interrupted_run_takes_no_further_step() {
        assert_eq!(train_with(&[], 10, true).unwrap(), None);
    }
}
