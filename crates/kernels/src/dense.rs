//! The dense layer.

/// Computes `outputs = inputs · weights + bias` for any number of rows.
///
/// `inputs` is `[n_rows, n_inputs]`, `weights` `[n_inputs, n_outputs]`, `bias` `[n_outputs]` and `outputs`
/// `[n_rows, n_outputs]`, all row-major. Weights must be finite.
///
/// # Panics
///
/// Where the lengths of the slices do not belong together.
pub fn dense(inputs: &[f32], weights: &[f32], bias: &[f32], outputs: &mut [f32]) {
    let n_outputs = bias.len();
    assert!(n_outputs > 0, "a dense layer has at least one output");
    let n_inputs = weights.len() / n_outputs;
    assert!(n_inputs > 0, "a dense layer has at least one input");
    assert_eq!(weights.len(), n_inputs * n_outputs, "weights are [n_inputs, n_outputs]");
    let n_rows = outputs.len() / n_outputs;
    assert_eq!(outputs.len(), n_rows * n_outputs, "outputs are [n_rows, n_outputs]");
    assert_eq!(inputs.len(), n_rows * n_inputs, "inputs are [n_rows, n_inputs]");

    for (input_row, output_row) in inputs.chunks_exact(n_inputs).zip(outputs.chunks_exact_mut(n_outputs)) {
        output_row.copy_from_slice(bias);
        for (&input, weight_row) in input_row.iter().zip(weights.chunks_exact(n_outputs)) {
            // Four of five pixels and most ReLU outputs are zero: their products add nothing to a finite sum.
            if input != 0.0 {
                add_scaled(output_row, input, weight_row);
            }
        }
    }
}

/// Adds `factor · values` to `sums`; written so that the compiler turns it into vector instructions.
fn add_scaled(sums: &mut [f32], factor: f32, values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// The definition, in double precision, without any skipping.
    fn reference(inputs: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f64> {
        let n_inputs = weights.len() / bias.len();
        let mut outputs = Vec::new();
        for row in inputs.chunks_exact(n_inputs) {
            for (output, &start) in bias.iter().enumerate() {
                let products = row
                    .iter()
                    .enumerate()
                    .map(|(input, &value)| f64::from(value) * f64::from(weights[input * bias.len() + output]));
                outputs.push(f64::from(start) + products.sum::<f64>());
            }
        }
        outputs
    }

    /// A value that is zero as often as a pixel or a ReLU output is.
    fn sparse() -> impl Strategy<Value = f32> {
        prop_oneof![3 => Just(0.0_f32), 1 => Just(-0.0_f32), 4 => -2.0_f32..2.0]
    }

    /// Inputs, weights and bias of a layer of any small shape, odd ones included.
    fn layers() -> impl Strategy<Value = (Vec<f32>, Vec<f32>, Vec<f32>)> {
        (0..6_usize, 1..40_usize, 1..40_usize).prop_flat_map(|(n_rows, n_inputs, n_outputs)| {
            (
                vec(sparse(), n_rows * n_inputs),
                vec(-1.0_f32..1.0, n_inputs * n_outputs),
                vec(-1.0_f32..1.0, n_outputs),
            )
        })
    }

    proptest! {
        #[test]
        fn any_shape_agrees_with_the_definition((inputs, weights, bias) in layers()) {
            let expected = reference(&inputs, &weights, &bias);
            let mut outputs = vec![f32::NAN; expected.len()];
            dense(&inputs, &weights, &bias, &mut outputs);
            for (output, expected) in outputs.iter().zip(&expected) {
                prop_assert!((f64::from(*output) - expected).abs() < 1e-4, "{output} is not {expected}");
            }
        }
    }

    #[test]
    fn lengths_that_do_not_belong_together_are_a_mistake_of_the_caller() {
        let ragged = std::panic::catch_unwind(|| dense(&[1.0; 5], &[0.0; 6], &[0.0; 2], &mut [0.0; 4]));
        assert!(ragged.is_err());
    }
}
