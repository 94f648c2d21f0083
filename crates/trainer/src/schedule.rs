//! How the step size goes over a run.

use std::f64::consts::PI;

use clap::ValueEnum;

/// How the step size goes over a run, once it has warmed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Schedule {
    /// The same for every step, as the original has it
    Constant,
    /// Down to zero along a cosine
    Cosine,
    /// Up in a line, down in a line, and to zero at the end
    OneCycle,
}

/// A step size for every step of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rates {
    pub(crate) schedule: Schedule,
    /// The largest of them.
    pub(crate) peak: f64,
    /// The part of the steps over which they rise in a line from zero to where the schedule begins, from 0 to 1.
    pub(crate) warm_up_share: f64,
    /// Steps of the whole run.
    pub(crate) steps: u32,
}

/// Where a cycle begins and where it ends, as a part of its peak.
const CYCLE_LOW: f64 = 0.1;
/// Where a cycle is at its peak, and where it is over, as parts of the run.
const CYCLE_PEAK: f64 = 0.45;
const CYCLE_END: f64 = 0.9;

impl Schedule {
    /// The schedule as it is written on the command line and in the artifact.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Cosine => "cosine",
            Self::OneCycle => "one-cycle",
        }
    }

    /// The step size as a part of its peak, when a part of the run, from 0 to 1, has `passed`.
    ///
    /// The cosine is that of Loshchilov and Hutter (arXiv:1608.03983) without restarts. The one cycle is that of Smith and
    /// Topin (arXiv:1708.07120): up from a low rate, as long down again, and far below it in the steps that are left.
    fn share(self, passed: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine => (1.0 + (PI * passed).cos()) / 2.0,
            Self::OneCycle if passed < CYCLE_END => {
                let from_peak = (passed - CYCLE_PEAK).abs() / CYCLE_PEAK;
                1.0 - (1.0 - CYCLE_LOW) * from_peak
            }
            Self::OneCycle => CYCLE_LOW * (1.0 - passed) / (1.0 - CYCLE_END),
        }
    }
}

impl Rates {
    /// The step size of `step`, counted from 0.
    pub(crate) fn at(&self, step: u32) -> f32 {
        // At the middle of the step, so that neither the first nor the last one is wasted on a rate of zero.
        let passed = (f64::from(step) + 0.5) / f64::from(self.steps);
        let warm_up = self.warm_up_share;
        let share = if passed < warm_up {
            self.schedule.share(0.0) * passed / warm_up
        } else {
            self.schedule.share((passed - warm_up) / (1.0 - warm_up))
        };
        (self.peak * share) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: u32 = 10_000;

    fn rates(schedule: Schedule, warm_up_share: f64) -> Rates {
        Rates {
            schedule,
            peak: 0.01,
            warm_up_share,
            steps: STEPS,
        }
    }

    #[track_caller]
    fn check(rates: Rates, step: u32, expected: f64) {
        let rate = f64::from(rates.at(step));
        assert!((rate - expected).abs() < 1e-5, "step {step}: {rate} is not {expected}");
    }

    #[test]
    fn a_constant_schedule_is_the_rate_itself() {
        let rates = rates(Schedule::Constant, 0.0);
        assert_eq!((rates.at(0), rates.at(STEPS - 1)), (0.01, 0.01));
    }

    #[test]
    fn a_cosine_falls_to_nearly_nothing_without_ever_rising() {
        let rates = rates(Schedule::Cosine, 0.0);
        for (step, expected) in [(0, 0.01), (2_500, 0.008_536), (5_000, 0.005), (9_999, 0.0)] {
            check(rates, step, expected);
        }
        assert!((0..STEPS - 1).all(|step| rates.at(step) >= rates.at(step + 1)));
        assert!(rates.at(STEPS - 1) > 0.0);
    }

    #[test]
    fn one_cycle_goes_up_and_down_once_and_ends_far_below_its_beginning() {
        let rates = rates(Schedule::OneCycle, 0.0);
        for (step, expected) in [
            (0, 0.001),
            (2_250, 0.005_5),
            (4_500, 0.01),
            (6_750, 0.005_5),
            (9_000, 0.001),
            (9_500, 0.000_5),
        ] {
            check(rates, step, expected);
        }
        assert!(rates.at(STEPS - 1) > 0.0 && rates.at(STEPS - 1) < 1e-6);
        assert!((0..4_500 - 1).all(|step| rates.at(step) < rates.at(step + 1)));
        assert!((4_500..STEPS - 1).all(|step| rates.at(step) > rates.at(step + 1)));
    }

    #[test]
    fn a_warm_up_rises_in_a_line_to_where_the_schedule_begins_and_leaves_the_rest_to_it() {
        for (schedule, first, last) in [
            (Schedule::Constant, 0.01, 0.01),
            (Schedule::Cosine, 0.01, 0.0),
            (Schedule::OneCycle, 0.001, 0.0),
        ] {
            let rates = rates(schedule, 0.05);
            assert!(rates.at(0) > 0.0);
            check(rates, 0, first / 1_000.0);
            check(rates, 250, first / 2.0);
            check(rates, 500, first);
            check(rates, STEPS - 1, last);
        }
        check(rates(Schedule::Cosine, 0.05), 5_250, 0.005);
    }

    #[test]
    fn every_rate_is_above_zero_however_short_the_run_and_long_the_warm_up() {
        for schedule in [Schedule::Constant, Schedule::Cosine, Schedule::OneCycle] {
            for (steps, warm_up_share) in [(1, 0.0), (1, 0.05), (1, 1.0), (2, 0.5), (3, 1.0), (20, 0.05)] {
                let rates = Rates {
                    steps,
                    ..rates(schedule, warm_up_share)
                };
                assert!(
                    (0..steps).all(|step| rates.at(step) > 0.0 && rates.at(step) <= 0.01),
                    "{rates:?}"
                );
            }
        }
    }
}
