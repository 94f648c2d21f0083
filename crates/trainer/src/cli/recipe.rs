//! The recipe of a training, and single values in place of its own.

use std::{fmt::Display, num::NonZeroU32, str::FromStr};

use formats::hyperparameters::{self, Hyperparameter};
use mnist_data::Augmentation;

use crate::{device::DeviceKind, recipe::Recipe, schedule::Schedule, settings::TrainingSettings};

/// A recipe, and what overrides it.
#[derive(Debug, Clone, clap::Args)]
pub struct RecipeArgs {
    /// The complete set of hyperparameters; every flag below replaces a single value of it
    #[arg(long, default_value = "default", value_enum)]
    pub recipe: Recipe,

    /// Optimizer steps to take
    #[arg(long, env = "LEARNING_STEPS", value_name = "N", value_parser = of::<NonZeroU32>(&hyperparameters::STEPS), allow_negative_numbers = true)]
    pub steps: Option<NonZeroU32>,

    /// Images per step
    #[arg(long, env = "BATCH_SIZE", value_name = "N", value_parser = of::<NonZeroU32>(&hyperparameters::BATCH_SIZE), allow_negative_numbers = true)]
    pub batch_size: Option<NonZeroU32>,

    /// Largest step size of the Adam optimizer
    #[arg(long, env = "LEARNING_RATE", value_name = "X", value_parser = of::<f64>(&hyperparameters::LEARNING_RATE), allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,

    /// How the step size goes over the run
    #[arg(long, value_enum)]
    pub schedule: Option<Schedule>,

    /// Part of the steps over which the step size rises to where the schedule begins
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::WARM_UP_SHARE), allow_negative_numbers = true)]
    pub warm_up_share: Option<f64>,

    /// Part of itself that a weight loses each step, times the step size
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::WEIGHT_DECAY), allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,

    /// What Adam adds to the root of the mean squared gradient
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::EPSILON), allow_negative_numbers = true)]
    pub epsilon: Option<f64>,

    /// Share of certainty that is spread evenly over all classes
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::LABEL_SMOOTHING), allow_negative_numbers = true)]
    pub label_smoothing: Option<f64>,

    #[command(flatten, next_help_heading = "Augmentation")]
    pub augmentation: AugmentationArgs,
}

/// What becomes of the images, anew in every step. A share is a part of all rows; 0 switches its kind off.
#[derive(Debug, Clone, clap::Args)]
pub struct AugmentationArgs {
    /// Part of the rows that are shifted
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::SHIFT_SHARE), allow_negative_numbers = true)]
    pub shift_share: Option<f64>,

    /// Furthest shift along each axis, in pixels
    #[arg(long, value_name = "N", value_parser = of::<u8>(&hyperparameters::SHIFT_PIXELS), allow_negative_numbers = true)]
    pub shift_pixels: Option<u8>,

    /// Part of the rows that are turned, stretched and slanted
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::AFFINE_SHARE), allow_negative_numbers = true)]
    pub affine_share: Option<f64>,

    /// Furthest turn to either side, in degrees
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::ROTATION), allow_negative_numbers = true)]
    pub rotation: Option<f64>,

    /// Largest relative change of height and width
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::SCALE), allow_negative_numbers = true)]
    pub scale: Option<f64>,

    /// Furthest slant to either side, in pixels sideways for each pixel of height
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::SHEAR), allow_negative_numbers = true)]
    pub shear: Option<f64>,

    /// Part of the rows that are bent
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::ELASTIC_SHARE), allow_negative_numbers = true)]
    pub elastic_share: Option<f64>,

    /// How far the pixels of a bent row move, in pixels
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::ELASTIC_PIXELS), allow_negative_numbers = true)]
    pub elastic_pixels: Option<f64>,

    /// How far apart pixels have to be to move differently, in pixels
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::ELASTIC_SMOOTHNESS), allow_negative_numbers = true)]
    pub elastic_smoothness: Option<f64>,

    /// Part of the rows that get noise
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::NOISE_SHARE), allow_negative_numbers = true)]
    pub noise_share: Option<f64>,

    /// Largest amplitude of a row's noise, in units of a white pixel
    #[arg(long, value_name = "X", value_parser = of::<f64>(&hyperparameters::NOISE_AMPLITUDE), allow_negative_numbers = true)]
    pub noise_amplitude: Option<f64>,
}

impl RecipeArgs {
    /// The recipe's values, but for those that were given.
    pub(crate) fn settings(&self, seed: u64, device: DeviceKind) -> TrainingSettings {
        let recipe = self.recipe.settings(seed, device);
        TrainingSettings {
            steps: self.steps.unwrap_or(recipe.steps),
            batch_size: self.batch_size.unwrap_or(recipe.batch_size),
            learning_rate: self.learning_rate.unwrap_or(recipe.learning_rate),
            schedule: self.schedule.unwrap_or(recipe.schedule),
            warm_up_share: self.warm_up_share.unwrap_or(recipe.warm_up_share),
            weight_decay: self.weight_decay.unwrap_or(recipe.weight_decay),
            epsilon: self.epsilon.unwrap_or(recipe.epsilon),
            label_smoothing: self.label_smoothing.unwrap_or(recipe.label_smoothing),
            augmentation: self.augmentation.over(recipe.augmentation),
            ..recipe
        }
    }
}

impl AugmentationArgs {
    fn over(&self, mut augmentation: Augmentation) -> Augmentation {
        let Augmentation {
            shift,
            affine,
            elastic,
            noise,
        } = &mut augmentation;
        for (given, value) in [
            (self.shift_share, &mut shift.share),
            (self.affine_share, &mut affine.share),
            (self.rotation, &mut affine.rotation),
            (self.scale, &mut affine.scale),
            (self.shear, &mut affine.shear),
            (self.elastic_share, &mut elastic.share),
            (self.elastic_pixels, &mut elastic.pixels),
            (self.elastic_smoothness, &mut elastic.smoothness),
            (self.noise_share, &mut noise.share),
            (self.noise_amplitude, &mut noise.amplitude),
        ] {
            *value = given.unwrap_or(*value);
        }
        shift.pixels = self.shift_pixels.unwrap_or(shift.pixels);
        augmentation
    }
}

/// A parser of the values of `parameter`. Negative numbers are let through to it, because its message names the range; clap
/// would take them for flags. Clap names the flag but not the variable that a value came from, so the message names both.
fn of<T: FromStr>(parameter: &'static Hyperparameter) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let value = text.parse().ok().filter(|_| parameter.values.contain(text));
        value.ok_or_else(|| refusal(parameter.flag, parameter.variable, parameter.values))
    }
}

/// What is told about a value that is out of its range.
pub(super) fn refusal(flag: &str, variable: Option<&str>, expected: impl Display) -> String {
    match variable {
        Some(variable) => format!("`{flag}` and {variable} take {expected}"),
        None => format!("`{flag}` takes {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use formats::hyperparameters::{OVERRIDES, Values};

    use super::*;
    use crate::cli::Args;

    #[track_caller]
    fn settings(arguments: &[&str]) -> TrainingSettings {
        let args = Args::try_parse_from([&["trainer"], arguments].concat()).unwrap();
        args.train.recipe.settings(1, DeviceKind::Native)
    }

    /// A value that no recipe has, and one that is refused.
    fn other_and_wrong(parameter: &Hyperparameter) -> (String, String) {
        match parameter.values {
            Values::Whole { least, most } => ((least + 2).to_string(), (u64::from(most) + 1).to_string()),
            Values::Number { least, most } => ((least + 0.007 * (most - least)).to_string(), (most * 1.01).to_string()),
            Values::Words(words) => (words[words.len() - 1].to_owned(), "other".to_owned()),
        }
    }

    #[test]
    fn a_recipe_is_all_that_is_needed() {
        assert_eq!(settings(&[]), Recipe::Default.settings(1, DeviceKind::Native));
        let best = settings(&["--recipe", "best"]);
        assert_eq!(best, Recipe::Best.settings(1, DeviceKind::Native));
        assert!(best.overridden().is_empty());
    }

    #[test]
    fn every_flag_overrides_its_own_value_and_no_other() {
        for parameter in OVERRIDES {
            let (other, wrong) = other_and_wrong(parameter);
            let changed = settings(&["--recipe", "tutorial", parameter.flag, &other]);
            assert_eq!(changed.overridden(), [parameter.key]);
            let said = changed.values().into_iter().find(|(of, _)| of.key == parameter.key);
            assert_eq!(said.map(|(_, value)| value), Some(other));

            for wrong in [wrong.as_str(), "-1", "NaN", ""] {
                let refused = Args::try_parse_from(["trainer", parameter.flag, wrong]);
                assert!(refused.is_err(), "{} {wrong}", parameter.flag);
            }
        }
    }

    #[test]
    fn what_the_recipe_says_anyway_overrides_nothing() {
        assert!(
            settings(&["--steps", "10000", "--schedule", "cosine"])
                .overridden()
                .is_empty()
        );
    }

    #[test]
    fn variables_of_the_original_are_those_that_are_told() {
        let command = Args::command();
        for parameter in OVERRIDES {
            let flag = parameter.flag.trim_start_matches('-');
            let argument = command
                .get_arguments()
                .find(|argument| argument.get_long() == Some(flag));
            let variable = argument.unwrap().get_env().map(|variable| variable.to_str().unwrap());
            assert_eq!(variable, parameter.variable, "{flag}");
        }
    }

    /// The library that makes the rows has the last word.
    #[test]
    fn what_may_be_said_about_augmentation_is_what_it_takes() {
        for end in [|least: f64, _| least, |_, most| most] {
            let all = OVERRIDES.into_iter().filter_map(|parameter| match parameter.values {
                Values::Number { least, most } => Some([parameter.flag.to_owned(), end(least, most).to_string()]),
                Values::Whole { .. } | Values::Words(_) => None,
            });
            let all: Vec<String> = all.flatten().collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            assert!(settings(&all).augmentation.check().is_ok(), "{all:?}");
        }
    }
}
