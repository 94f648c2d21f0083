//! Accuracies that a model must reach before it takes the place of an earlier one.

use formats::{artifact::TrainingSummary, report::Accuracy};

/// Least shares of right answers on all test images, from 0 to 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gates {
    pub(crate) accuracy_min: Option<f64>,
    pub(crate) noisy_accuracy_min: Option<f64>,
}

impl Gates {
    /// One line for each gate that a model misses: which, what was found, what was wanted.
    pub(crate) fn misses(&self, training: &TrainingSummary) -> Vec<String> {
        let miss = |kind: &str, flag: &str, least: Option<f64>, found: Accuracy| {
            let least = least.filter(|&least| found.fraction() < least)?;
            let Accuracy { correct, total } = found;
            let found = found.fraction();
            Some(format!(
                "{kind} accuracy is {found} ({correct} of {total} test images), expected at least {least} (`{flag}`)"
            ))
        };
        let clean = miss("clean", "--accuracy-min", self.accuracy_min, training.clean);
        let noisy = miss("noisy", "--noisy-accuracy-min", self.noisy_accuracy_min, training.noisy);
        clean.into_iter().chain(noisy).collect()
    }
}
