//! What a run was asked to do.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use formats::{
    artifact::{EffectiveAugmentation, EffectiveRecipe},
    hyperparameters::{self, Hyperparameter, OVERRIDES},
};
use kernels::InstructionSet;
use mnist_data::Augmentation;

use crate::{
    checkpoints::CheckpointSettings,
    device::DeviceKind,
    gates::Gates,
    limits::Limits,
    recipe::Recipe,
    schedule::{Rates, Schedule},
};

/// Places and settings of a run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) models_dir: PathBuf,
    /// Fetch data files that are missing.
    pub(crate) download: bool,
    pub(crate) training: TrainingSettings,
    pub(crate) gates: Gates,
    pub(crate) compute: Compute,
    pub(crate) limits: Limits,
    pub(crate) checkpoints: CheckpointSettings,
    pub(crate) outputs: OutputSettings,
}

/// Everything that decides which weights come out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TrainingSettings {
    /// Where the values come from that were not overridden.
    pub(crate) recipe: Recipe,
    pub(crate) steps: NonZeroU32,
    pub(crate) batch_size: NonZeroU32,
    pub(crate) learning_rate: f64,
    pub(crate) schedule: Schedule,
    pub(crate) warm_up_share: f64,
    pub(crate) weight_decay: f64,
    pub(crate) epsilon: f64,
    pub(crate) label_smoothing: f64,
    pub(crate) augmentation: Augmentation,
    pub(crate) seed: u64,
    pub(crate) device: DeviceKind,
}

/// What is written while the training runs.
#[derive(Debug)]
pub(crate) struct OutputSettings {
    /// Steps from one point of the course to the next, if not the usual ones.
    pub(crate) log_every: Option<NonZeroU32>,
    /// The folder of the event files for TensorBoard.
    pub(crate) tensorboard: Option<PathBuf>,
}

/// How much of the machine computes: decides the time, and not the weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compute {
    pub(crate) n_threads: NonZeroUsize,
    pub(crate) instruction_set: InstructionSet,
}

impl TrainingSettings {
    /// The step size of every step.
    pub(crate) fn rates(&self) -> Rates {
        Rates {
            schedule: self.schedule,
            peak: self.learning_rate,
            warm_up_share: self.warm_up_share,
            steps: self.steps.get(),
        }
    }

    /// What the artifact says about these settings, beside what stands in its summary anyway.
    pub(crate) fn effective_recipe(&self) -> EffectiveRecipe {
        let Augmentation {
            shift,
            affine,
            elastic,
            noise,
        } = self.augmentation;
        EffectiveRecipe {
            name: self.recipe.as_str().to_owned(),
            overridden: self.overridden().into_iter().map(str::to_owned).collect(),
            warm_up_share: self.warm_up_share,
            weight_decay: self.weight_decay,
            epsilon: self.epsilon,
            label_smoothing: self.label_smoothing,
            augmentation: EffectiveAugmentation {
                shift_share: shift.share,
                shift_pixels: shift.pixels,
                affine_share: affine.share,
                rotation: affine.rotation,
                scale: affine.scale,
                shear: affine.shear,
                elastic_share: elastic.share,
                elastic_pixels: elastic.pixels,
                elastic_smoothness: elastic.smoothness,
                noise_share: noise.share,
                noise_amplitude: noise.amplitude,
            },
        }
    }

    /// The keys of the values that are not the recipe's.
    pub(crate) fn overridden(&self) -> Vec<&'static str> {
        let of_recipe = self.recipe.settings(self.seed, self.device).values();
        let differing = self
            .values()
            .into_iter()
            .zip(of_recipe)
            .filter(|(own, of_recipe)| own != of_recipe);
        differing.map(|((parameter, _), _)| parameter.key).collect()
    }

    /// Every hyperparameter with its value as it would be written on the command line, in the order of [`OVERRIDES`].
    pub(crate) fn values(&self) -> [(&'static Hyperparameter, String); OVERRIDES.len()] {
        let Augmentation {
            shift,
            affine,
            elastic,
            noise,
        } = &self.augmentation;
        [
            (&hyperparameters::STEPS, self.steps.to_string()),
            (&hyperparameters::BATCH_SIZE, self.batch_size.to_string()),
            (&hyperparameters::LEARNING_RATE, self.learning_rate.to_string()),
            (&hyperparameters::SCHEDULE, self.schedule.as_str().to_owned()),
            (&hyperparameters::WARM_UP_SHARE, self.warm_up_share.to_string()),
            (&hyperparameters::WEIGHT_DECAY, self.weight_decay.to_string()),
            (&hyperparameters::EPSILON, self.epsilon.to_string()),
            (&hyperparameters::LABEL_SMOOTHING, self.label_smoothing.to_string()),
            (&hyperparameters::SHIFT_SHARE, shift.share.to_string()),
            (&hyperparameters::SHIFT_PIXELS, shift.pixels.to_string()),
            (&hyperparameters::AFFINE_SHARE, affine.share.to_string()),
            (&hyperparameters::ROTATION, affine.rotation.to_string()),
            (&hyperparameters::SCALE, affine.scale.to_string()),
            (&hyperparameters::SHEAR, affine.shear.to_string()),
            (&hyperparameters::ELASTIC_SHARE, elastic.share.to_string()),
            (&hyperparameters::ELASTIC_PIXELS, elastic.pixels.to_string()),
            (&hyperparameters::ELASTIC_SMOOTHNESS, elastic.smoothness.to_string()),
            (&hyperparameters::NOISE_SHARE, noise.share.to_string()),
            (&hyperparameters::NOISE_AMPLITUDE, noise.amplitude.to_string()),
        ]
    }
}
