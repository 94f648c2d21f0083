//! When a training ends.

use std::{num::NonZeroU32, time::Duration};

use crate::settings::TrainingSettings;

/// Steps of a run that only shows that everything works.
const SMOKE_STEPS: NonZeroU32 = NonZeroU32::new(20).expect("it is not 0");

/// What ends a training besides its steps; whatever comes first does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    /// Passes over the training images, in place of a number of steps.
    pub(crate) epochs: Option<NonZeroU32>,
    /// Time spent training.
    pub(crate) time: Option<Duration>,
    /// The last training images, to be looked at and not trained on.
    pub(crate) held_out: Option<NonZeroU32>,
    /// Looks at the held-out images without an improvement.
    pub(crate) patience: Option<NonZeroU32>,
    /// Take a few steps through everything.
    pub(crate) smoke: bool,
}

impl Limits {
    /// The settings with the steps that these limits leave, where an epoch has `n_per_epoch` steps.
    ///
    /// # Errors
    ///
    /// Where the epochs have more steps than can be counted.
    pub(crate) fn applied(&self, settings: TrainingSettings, n_per_epoch: usize) -> anyhow::Result<TrainingSettings> {
        let mut steps = settings.steps;
        if let Some(epochs) = self.epochs {
            let n_per_epoch = u32::try_from(n_per_epoch).ok().and_then(NonZeroU32::new);
            let total = n_per_epoch.and_then(|n_per_epoch| epochs.checked_mul(n_per_epoch));
            let most = formats::hyperparameters::STEPS.values;
            steps = total
                .filter(|total| most.contain(&total.to_string()))
                .ok_or_else(|| anyhow::anyhow!("{epochs} epochs have too many steps, expected {most} of them"))?;
        }
        if self.smoke {
            steps = steps.min(SMOKE_STEPS);
        }
        Ok(TrainingSettings { steps, ..settings })
    }
}
