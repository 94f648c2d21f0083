//! Complete sets of hyperparameters, each under a name.

use std::num::NonZeroU32;

use clap::ValueEnum;
use mnist_data::{Affine, Augmentation, Elastic, RowNoise, Shift};

use crate::{device::DeviceKind, schedule::Schedule, settings::TrainingSettings};

/// A complete set of hyperparameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Recipe {
    /// Right on clean and on noisy images: moved and noisy rows, weight decay, a rate that rises and falls
    Default,
    /// What the original does: a constant rate, images as they are
    Tutorial,
    /// The most right answers, for more time: many bent, turned and noisy rows, four times the batch
    Best,
}

/// The steps of every recipe, as many as the original takes.
const STEPS: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not 0");
/// The original's batch.
const BATCH_SIZE: NonZeroU32 = NonZeroU32::new(128).expect("it is not 0");
/// A warm-up of 500 of 10,000 steps.
const WARM_UP_SHARE: f64 = 0.05;

/// No row is changed. How much it would be still stands here, so that setting a share is enough.
const PLAIN: Augmentation = Augmentation {
    shift: Shift { share: 0.0, pixels: 1 },
    affine: Affine {
        share: 0.0,
        rotation: 10.0,
        scale: 0.1,
        shear: 0.1,
    },
    elastic: Elastic {
        share: 0.0,
        pixels: 0.8,
        smoothness: 5.0,
    },
    noise: RowNoise {
        share: 0.0,
        amplitude: 1.0,
    },
};

impl Recipe {
    /// The recipe as it is written on the command line and in the artifact.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Tutorial => "tutorial",
            Self::Best => "best",
        }
    }

    /// The settings of a run that overrides nothing.
    ///
    /// The values of `default` and `best` were chosen on images held out from the training images, never on test images.
    pub(crate) fn settings(self, seed: u64, device: DeviceKind) -> TrainingSettings {
        let tutorial = TrainingSettings {
            recipe: self,
            steps: STEPS,
            batch_size: BATCH_SIZE,
            learning_rate: 0.01,
            schedule: Schedule::Constant,
            warm_up_share: 0.0,
            weight_decay: 0.0,
            // TensorFlow's.
            epsilon: 1e-8,
            label_smoothing: 0.0,
            augmentation: PLAIN,
            seed,
            device,
        };
        match self {
            Self::Tutorial => tutorial,
            Self::Default => TrainingSettings {
                schedule: Schedule::Cosine,
                warm_up_share: WARM_UP_SHARE,
                weight_decay: 0.05,
                epsilon: 3e-3,
                augmentation: Augmentation {
                    shift: Shift {
                        share: 0.8,
                        ..PLAIN.shift
                    },
                    // Few rows: mapping one takes longer than shifting ten.
                    affine: Affine {
                        share: 0.2,
                        ..PLAIN.affine
                    },
                    elastic: Elastic {
                        share: 0.2,
                        ..PLAIN.elastic
                    },
                    noise: RowNoise {
                        share: 0.22,
                        ..PLAIN.noise
                    },
                },
                ..tutorial
            },
            Self::Best => TrainingSettings {
                batch_size: NonZeroU32::new(512).expect("it is not 0"),
                schedule: Schedule::Cosine,
                warm_up_share: WARM_UP_SHARE,
                weight_decay: 0.05,
                epsilon: 3e-3,
                augmentation: Augmentation {
                    shift: Shift {
                        share: 0.5,
                        ..PLAIN.shift
                    },
                    affine: Affine {
                        share: 0.6,
                        ..PLAIN.affine
                    },
                    elastic: Elastic {
                        share: 0.6,
                        ..PLAIN.elastic
                    },
                    noise: RowNoise {
                        share: 0.4,
                        ..PLAIN.noise
                    },
                },
                ..tutorial
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use formats::hyperparameters::{OVERRIDES, RECIPE, SCHEDULE, Values};

    use super::*;

    /// The words under which clap knows the values of an enum.
    fn words<T: ValueEnum>() -> Vec<String> {
        let values = T::value_variants().iter();
        values
            .map(|value| value.to_possible_value().unwrap().get_name().to_owned())
            .collect()
    }

    #[test]
    fn recipes_and_schedules_have_the_names_by_which_other_programs_know_them() {
        for (words, as_str, known) in [
            (
                words::<Recipe>(),
                Recipe::value_variants()
                    .iter()
                    .map(|recipe| recipe.as_str())
                    .collect::<Vec<_>>(),
                RECIPE.values,
            ),
            (
                words::<Schedule>(),
                Schedule::value_variants()
                    .iter()
                    .map(|schedule| schedule.as_str())
                    .collect(),
                SCHEDULE.values,
            ),
        ] {
            assert_eq!(words, as_str);
            assert!(
                matches!(known, Values::Words(known) if known == words),
                "{words:?}, {known:?}"
            );
        }
    }

    #[test]
    fn every_recipe_says_only_what_may_be_said() {
        for &recipe in Recipe::value_variants() {
            let settings = recipe.settings(1, DeviceKind::Native);
            assert!(settings.augmentation.check().is_ok());
            let values = settings.values();
            assert_eq!(values.each_ref().map(|(parameter, _)| *parameter), OVERRIDES);
            for (parameter, value) in values {
                assert!(
                    parameter.values.contain(&value),
                    "{recipe:?}: {} {value}",
                    parameter.key
                );
            }
        }
    }

    /// Whoever compares with the original trains as it did.
    #[test]
    fn the_tutorial_is_the_original() {
        let settings = Recipe::Tutorial.settings(1, DeviceKind::Native);
        assert_eq!((settings.steps.get(), settings.batch_size.get()), (10_000, 128));
        assert_eq!((settings.learning_rate, settings.schedule), (0.01, Schedule::Constant));
        assert_eq!(
            (settings.weight_decay, settings.epsilon, settings.label_smoothing),
            (0.0, 1e-8, 0.0)
        );
        let Augmentation {
            shift,
            affine,
            elastic,
            noise,
        } = settings.augmentation;
        assert_eq!([shift.share, affine.share, elastic.share, noise.share], [0.0; 4]);
    }
}
