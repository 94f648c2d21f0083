//! What follows the last layer: softmax and arg max.

/// Turns the logits of one image into probabilities: each in [0, 1], together 1.
///
/// Logits must be finite. The largest is subtracted first, so that no exponential overflows.
pub fn softmax(logits: &mut [f32]) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in &mut *logits {
        *value = (*value - largest).exp();
        sum += *value;
    }
    for value in logits {
        *value /= sum;
    }
}

/// The index of the largest value, the first of equals.
///
/// # Panics
///
/// Where there is no value.
pub fn arg_max(values: &[f32]) -> usize {
    assert!(!values.is_empty(), "the largest of no values does not exist");
    let mut best = 0;
    for (index, &value) in values.iter().enumerate() {
        if value > values[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn softmax_agrees_with_its_definition(logits in vec(-30.0_f32..30.0, 1..70)) {
            let mut results = logits.clone();
            softmax(&mut results);
            let sum: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
            for (result, &logit) in results.iter().zip(&logits) {
                prop_assert!((f64::from(*result) - f64::from(logit).exp() / sum).abs() < 1e-6);
            }
        }

        #[test]
        fn softmax_of_any_finite_logits_is_a_distribution(logits in vec(-3.4e38_f32..3.4e38, 1..70)) {
            let mut results = logits;
            softmax(&mut results);
            prop_assert!(results.iter().all(|result| (0.0..=1.0).contains(result)));
            prop_assert!((results.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }

        #[test]
        fn arg_max_is_the_first_of_the_largest(values in vec(-3_i16..3, 1..70)) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            prop_assert_eq!(Some(arg_max(&values)), values.iter().position(|&value| value == largest));
        }
    }
}
