//! How the step size goes over a run.

use std::f64::consts::PI;

use clap::ValueEnum;

/// The part of a cosine run that warms up.
const WARM_UP: f64 = 0.05;

/// How the step size goes over a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schedule {
    /// The same for every step, as the original has it
    Constant,
    /// Up in a line over the first twentieth of the steps, then down to zero along a cosine
    Cosine,
}

impl Schedule {
    /// The schedule as the artifact names it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Cosine => "cosine",
        }
    }

    /// The step size of `step`, counted from 0, in a run of `steps` whose largest is `peak`.
    ///
    /// The cosine is that of Loshchilov and Hutter (arXiv:1608.03983) without restarts.
    pub(crate) fn rate(self, step: u32, steps: u32, peak: f64) -> f32 {
        let share = match self {
            Self::Constant => 1.0,
            Self::Cosine => {
                // At the middle of the step, so that neither the first nor the last one is wasted on a rate of zero.
                let passed = (f64::from(step) + 0.5) / f64::from(steps);
                if passed < WARM_UP {
                    passed / WARM_UP
                } else {
                    (1.0 + (PI * (passed - WARM_UP) / (1.0 - WARM_UP)).cos()) / 2.0
                }
            }
        };
        (peak * share) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_schedule_is_the_rate_itself() {
        assert_eq!(Schedule::Constant.rate(0, 10, 0.01), 0.01);
        assert_eq!(Schedule::Constant.rate(9, 10, 0.01), 0.01);
    }

    #[test]
    fn a_cosine_rises_to_the_peak_within_a_twentieth_and_falls_to_nearly_nothing() {
        let rate = |step| Schedule::Cosine.rate(step, 10_000, 0.01);
        assert!(rate(0) > 0.0 && rate(0) < 0.000_02, "{}", rate(0));
        assert!((rate(250) - 0.005).abs() < 1e-4, "{}", rate(250));
        assert!((rate(500) - 0.01).abs() < 1e-6, "{}", rate(500));
        assert!((rate(5250) - 0.005).abs() < 1e-5, "{}", rate(5250));
        assert!(rate(9_999) > 0.0 && rate(9_999) < 1e-8, "{}", rate(9_999));
        assert!((500..9_999).all(|step| rate(step) >= rate(step + 1)));
    }

    #[test]
    fn a_run_of_one_step_moves() {
        assert!(Schedule::Cosine.rate(0, 1, 0.01) > 0.001);
    }
}
