//! What a training can be told: the names and the range of every hyperparameter.
//!
//! `pipeline.yaml` says them by key, the trainer takes them by flag, and an artifact keeps them. Their ranges stand here
//! once, so that what the trainer would refuse is refused before anything runs.

use std::fmt;

/// Something that decides what a training comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hyperparameter {
    /// Its key in `pipeline.yaml` and in an artifact.
    pub key: &'static str,
    /// Its flag.
    pub flag: &'static str,
    /// The environment variable that says the same, where the original had one.
    pub variable: Option<&'static str>,
    /// What it may be.
    pub values: Values,
}

/// What a hyperparameter may be; written out, a fragment such as `a number from 0 to 1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// A whole number.
    Whole {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
    },
    /// A number.
    Number {
        /// The smallest.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// One of these words.
    Words(&'static [&'static str]),
}

/// A part of all rows, or of all steps.
const SHARE: Values = number(0.0, 1.0);

/// The complete set of hyperparameters that all others are taken from.
pub const RECIPE: Hyperparameter = parameter("recipe", "--recipe", Values::Words(&["default", "tutorial", "best"]));
/// Optimizer steps. The most take an hour even at the fastest, and are far beyond what the images can teach.
pub const STEPS: Hyperparameter = original("steps", "--steps", "LEARNING_STEPS", whole(1, 10_000_000));
/// Images per step. The most are more than MNIST has.
pub const BATCH_SIZE: Hyperparameter = original("batch_size", "--batch-size", "BATCH_SIZE", whole(1, 65_536));
/// Largest step size of the optimizer. The most is a hundred times the tutorial's, and nothing is learnt with it any more;
/// the least moves no weight in 32 bits.
pub const LEARNING_RATE: Hyperparameter =
    original("learning_rate", "--learning-rate", "LEARNING_RATE", number(1e-7, 1.0));
/// How the step size goes over the run.
pub const SCHEDULE: Hyperparameter = parameter(
    "schedule",
    "--schedule",
    Values::Words(&["constant", "cosine", "one-cycle"]),
);
/// The part of the steps over which the step size rises from zero.
pub const WARM_UP_SHARE: Hyperparameter = parameter("warm_up_share", "--warm-up-share", SHARE);
/// What part of itself a weight loses each step, times the step size. Beyond 1 it could change its sign.
pub const WEIGHT_DECAY: Hyperparameter = parameter("weight_decay", "--weight-decay", number(0.0, 1.0));
/// What is added to the root of the mean squared gradient. Below the least a weight without a gradient could become 0 / 0.
pub const EPSILON: Hyperparameter = parameter("epsilon", "--epsilon", number(1e-12, 1.0));
/// The share of certainty that is spread evenly over all classes.
pub const LABEL_SMOOTHING: Hyperparameter = parameter("label_smoothing", "--label-smoothing", number(0.0, 0.9));
/// The part of the rows that are shifted.
pub const SHIFT_SHARE: Hyperparameter = parameter("shift_share", "--shift-share", SHARE);
/// The furthest shift along each axis, in pixels.
pub const SHIFT_PIXELS: Hyperparameter = parameter("shift_pixels", "--shift-pixels", whole(0, 255));
/// The part of the rows that are turned, stretched and slanted.
pub const AFFINE_SHARE: Hyperparameter = parameter("affine_share", "--affine-share", SHARE);
/// The furthest turn to either side, in degrees.
pub const ROTATION: Hyperparameter = parameter("rotation", "--rotation", number(0.0, 180.0));
/// The largest relative change of height and width.
pub const SCALE: Hyperparameter = parameter("scale", "--scale", number(0.0, 0.5));
/// The furthest slant to either side, in pixels sideways for each pixel of height.
pub const SHEAR: Hyperparameter = parameter("shear", "--shear", number(0.0, 1.0));
/// The part of the rows that are bent.
pub const ELASTIC_SHARE: Hyperparameter = parameter("elastic_share", "--elastic-share", SHARE);
/// How far the pixels of a bent row move, in pixels.
pub const ELASTIC_PIXELS: Hyperparameter = parameter("elastic_pixels", "--elastic-pixels", number(0.0, 10.0));
/// How far apart pixels have to be to move differently, in pixels.
pub const ELASTIC_SMOOTHNESS: Hyperparameter =
    parameter("elastic_smoothness", "--elastic-smoothness", number(0.5, 32.0));
/// The part of the rows that get noise.
pub const NOISE_SHARE: Hyperparameter = parameter("noise_share", "--noise-share", SHARE);
/// The largest amplitude of a row's noise, in units of a white pixel.
pub const NOISE_AMPLITUDE: Hyperparameter = parameter("noise_amplitude", "--noise-amplitude", number(0.0, 10.0));

/// Everything that a recipe decides and a single value can override.
pub const OVERRIDES: [&Hyperparameter; 19] = [
    &STEPS,
    &BATCH_SIZE,
    &LEARNING_RATE,
    &SCHEDULE,
    &WARM_UP_SHARE,
    &WEIGHT_DECAY,
    &EPSILON,
    &LABEL_SMOOTHING,
    &SHIFT_SHARE,
    &SHIFT_PIXELS,
    &AFFINE_SHARE,
    &ROTATION,
    &SCALE,
    &SHEAR,
    &ELASTIC_SHARE,
    &ELASTIC_PIXELS,
    &ELASTIC_SMOOTHNESS,
    &NOISE_SHARE,
    &NOISE_AMPLITUDE,
];

impl Values {
    /// Whether `text` is one of them.
    pub fn contain(&self, text: &str) -> bool {
        match self {
            Self::Whole { least, most } => text.parse().is_ok_and(|number| (least..=most).contains(&&number)),
            Self::Number { least, most } => text.parse().is_ok_and(|number| (least..=most).contains(&&number)),
            Self::Words(words) => words.contains(&text),
        }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { least, most } => write!(formatter, "a whole number from {least} to {most}"),
            // Nobody counts the zeros of `0.0000001`.
            Self::Number { least, most } if *least > 0.0 && *least < 1e-3 => {
                write!(formatter, "a number from {least:e} to {most}")
            }
            Self::Number { least, most } => write!(formatter, "a number from {least} to {most}"),
            Self::Words(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                formatter.write_str(&quoted.join(" or "))
            }
        }
    }
}

const fn parameter(key: &'static str, flag: &'static str, values: Values) -> Hyperparameter {
    Hyperparameter {
        key,
        flag,
        variable: None,
        values,
    }
}

const fn original(key: &'static str, flag: &'static str, variable: &'static str, values: Values) -> Hyperparameter {
    let variable = Some(variable);
    Hyperparameter {
        variable,
        ..parameter(key, flag, values)
    }
}

const fn whole(least: u32, most: u32) -> Values {
    Values::Whole { least, most }
}

const fn number(least: f64, most: f64) -> Values {
    Values::Number { least, most }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_the_key_with_dashes() {
        for parameter in OVERRIDES.into_iter().chain([&RECIPE]) {
            assert_eq!(parameter.flag, format!("--{}", parameter.key.replace('_', "-")));
        }
    }

    #[test]
    fn only_what_is_in_range_is_contained() {
        for text in ["1", "10000000"] {
            assert!(STEPS.values.contain(text), "{text}");
        }
        for text in ["0", "-1", "10000001", "1e4", "ten", "", " 7", "4294967296"] {
            assert!(!STEPS.values.contain(text), "{text}");
        }
        for text in ["0", "1", "0.05", "1e-3"] {
            assert!(WEIGHT_DECAY.values.contain(text), "{text}");
        }
        for text in ["-0.01", "1.01", "NaN", "inf", "", "0,01"] {
            assert!(!WEIGHT_DECAY.values.contain(text), "{text}");
        }
        assert!(SCHEDULE.values.contain("one-cycle") && !SCHEDULE.values.contain("One-Cycle"));
    }

    #[test]
    fn a_range_is_told_as_a_person_writes_it() {
        assert_eq!(STEPS.values.to_string(), "a whole number from 1 to 10000000");
        assert_eq!(LEARNING_RATE.values.to_string(), "a number from 1e-7 to 1");
        assert_eq!(ELASTIC_SMOOTHNESS.values.to_string(), "a number from 0.5 to 32");
        assert_eq!(SCHEDULE.values.to_string(), "`constant` or `cosine` or `one-cycle`");
    }
}
