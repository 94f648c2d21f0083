//! Softmax cross-entropy of one row.

use super::levels::RowLoss;
use crate::{
    lanes::{LANES, Lanes, number, number_mut},
    simd::Simd,
};

/// What the logits of a row should say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) label: u8,
    pub(crate) n_classes: usize,
    /// The share of certainty that is spread evenly over all classes.
    pub(crate) smoothing: f32,
    /// The row's part in the mean: one over the number of rows.
    pub(crate) weight: f32,
}

/// Sets `gradients` to those of the row's part in the mean loss, and returns the row's own loss.
#[inline(always)]
pub(crate) fn gradient<S: Simd>(simd: S, logits: &[Lanes], target: Target, gradients: &mut [Lanes]) -> RowLoss {
    let Target {
        label,
        n_classes,
        smoothing,
        weight,
    } = target;
    let label = usize::from(label);
    let gradients = &mut gradients[..logits.len()];
    let mut greatest = f32::NEG_INFINITY;
    let mut total = 0.0;
    for class in 0..n_classes {
        let logit = number(logits, class);
        greatest = if logit > greatest { logit } else { greatest };
        total += logit;
    }
    let shift = simd.splat(-greatest);
    for (logits, exponentials) in logits.iter().zip(&mut *gradients) {
        simd.store(exp(simd, simd.add(simd.load(logits), shift)), exponentials);
    }
    let mut sum = 0.0;
    for class in 0..n_classes {
        sum += number(gradients, class);
    }
    #[expect(clippy::cast_precision_loss, reason = "there are at most 256 classes")]
    let n_classes_float = n_classes as f32;
    let scale = simd.splat(weight / sum);
    let spread = simd.splat(-(weight * smoothing / n_classes_float));
    for (lane, place) in gradients.iter_mut().enumerate() {
        let gradient = simd.mul_add(simd.load(place), scale, spread);
        simd.store(simd.keep(classes_in(lane, n_classes), gradient), place);
    }
    *number_mut(gradients, label) -= weight * (1.0 - smoothing);
    let aim = (1.0 - smoothing) * number(logits, label) + smoothing * (total / n_classes_float);
    RowLoss {
        sum,
        gap: greatest - aim,
    }
}

/// The lanes of a grain that stand for classes.
#[inline(always)]
fn classes_in(lane: usize, n_classes: usize) -> u16 {
    let n_left = n_classes - lane * LANES;
    if n_left >= LANES { u16::MAX } else { (1 << n_left) - 1 }
}

/// e to the power of numbers up to zero; below −87.3, where `f32` ends, it is that of −87.3 (1e-38).
///
/// Cephes' `expf` (Moshier): a power of two times a polynomial on ±ln(2)/2, within 2 units in the last place.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    #[expect(clippy::excessive_precision, reason = "as published")]
    const POLYNOMIAL: [f32; 6] = [
        1.987_569_150_0e-4,
        1.398_199_950_7e-3,
        8.333_451_907_3e-3,
        4.166_579_589_4e-2,
        1.666_666_545_9e-1,
        5.000_000_120_1e-1,
    ];
    /// ln(2) in two parts, of which the first is short enough for exact products.
    #[expect(clippy::excessive_precision, reason = "as published")]
    const LN_2: [f32; 2] = [0.693_359_375, -2.121_944_40e-4];
    let x = simd.max(x, simd.splat(-87.3));
    let whole = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
    let rest = simd.neg_mul_add(whole, simd.splat(LN_2[0]), x);
    let rest = simd.neg_mul_add(whole, simd.splat(LN_2[1]), rest);
    let mut sum = simd.splat(POLYNOMIAL[0]);
    for coefficient in &POLYNOMIAL[1..] {
        sum = simd.mul_add(sum, rest, simd.splat(*coefficient));
    }
    let linear = simd.add(rest, simd.splat(1.0));
    simd.mul(
        simd.mul_add(simd.mul(rest, rest), sum, linear),
        simd.exp2_of_whole(whole),
    )
}
