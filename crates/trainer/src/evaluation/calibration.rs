//! Whether probabilities are right as often as they say.

use formats::{
    evaluation::{Calibration, CalibrationBin},
    report::Accuracy,
};

use super::{answers::Answers, rounded};

/// As many bins as the paper has.
const BINS: usize = 15;

/// Reliability and expected calibration error (Guo et al., arXiv:1706.04599, equations 2 and 3): bin `m` holds the
/// answers whose probability is above `(m - 1) / M` and at most `m / M`.
pub(super) fn calibration(answers: &Answers) -> Calibration {
    let mut sums = [(0_u64, 0_u64, 0.0_f64); BINS];
    for answer in answers.iter() {
        let probability = f64::from(answer.probability);
        let bin = (probability * BINS as f64).ceil() as usize;
        let (total, correct, probabilities) = &mut sums[bin.clamp(1, BINS) - 1];
        *total += 1;
        *correct += u64::from(answer.is_right());
        *probabilities += probability;
    }
    let n_answers = answers.accuracy().total.max(1) as f64;
    let gaps = sums
        .iter()
        .map(|&(_, correct, probabilities)| (correct as f64 - probabilities).abs());
    let error = gaps.sum::<f64>() / n_answers;
    let bins = sums
        .into_iter()
        .enumerate()
        .map(|(bin, (total, correct, probabilities))| CalibrationBin {
            probability_max: rounded((bin + 1) as f64 / BINS as f64),
            accuracy: Accuracy { correct, total },
            probability_mean: rounded(probabilities / total.max(1) as f64),
        });
    Calibration {
        error: rounded(error),
        bins: bins.collect(),
    }
}
