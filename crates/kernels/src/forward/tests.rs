//! Classification against its definition, on every instruction set.

use proptest::{collection::vec, prelude::*};

use super::{Forward, Scratch};
use crate::{InstructionSet, LayerParameters};

/// The definition in double precision: without skipping, blocks or grains.
fn naive(layers: &[LayerParameters], image: &[f32]) -> Vec<f64> {
    let mut values: Vec<f64> = image.iter().copied().map(f64::from).collect();
    for (index, LayerParameters { weight, bias }) in layers.iter().enumerate() {
        if index > 0 {
            values.iter_mut().for_each(|value| *value = value.max(0.0));
        }
        let output = |output: usize| {
            let weights = weight.iter().skip(output).step_by(bias.len());
            let products = weights.zip(&values).map(|(weight, value)| f64::from(*weight) * value);
            f64::from(bias[output]) + products.sum::<f64>()
        };
        values = (0..bias.len()).map(output).collect();
    }
    values
}

fn forward(set: InstructionSet, layers: &[LayerParameters]) -> Forward {
    Forward::new(set, layers.iter().map(|layer| (&layer.weight[..], &layer.bias[..])))
}

fn logits(set: InstructionSet, layers: &[LayerParameters], images: &[f32]) -> Vec<f32> {
    let forward = forward(set, layers);
    let mut logits = vec![f32::NAN; images.len() / forward.n_inputs() * forward.n_classes()];
    forward.logits(images, &mut Scratch::default(), &mut logits);
    logits
}

/// A value that is zero as often as a pixel is, and sometimes below zero.
fn pixel() -> impl Strategy<Value = f32> {
    prop_oneof![6 => Just(0.0_f32), 1 => Just(-0.0_f32), 3 => -1.0_f32..2.0]
}

fn layer(n_inputs: usize, n_outputs: usize) -> impl Strategy<Value = LayerParameters> {
    (vec(-0.5_f32..0.5, n_inputs * n_outputs), vec(-0.5_f32..0.5, n_outputs))
        .prop_map(|(weight, bias)| LayerParameters { weight, bias })
}

/// A network of any widths, and images: fewer and more than pass together, sparse ones and dense ones.
fn cases() -> impl Strategy<Value = (Vec<LayerParameters>, Vec<f32>)> {
    let widths = (
        1..70_usize,
        prop_oneof![1..70_usize, 250..300_usize],
        1..70_usize,
        1..20_usize,
    );
    (widths, 1..4_usize, 0..40_usize).prop_flat_map(|((a, b, c, d), n_layers, n_images)| {
        let layers = (layer(a, b), layer(b, c), layer(c, d));
        let images = prop_oneof![vec(pixel(), n_images * a), vec(-1.0_f32..2.0, n_images * a)];
        (layers, images).prop_map(move |((first, second, third), images)| {
            let mut layers = vec![first, second, third];
            layers.truncate(n_layers);
            (layers, images)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_network_agrees_with_its_definition((layers, images) in cases()) {
        let n_inputs = layers[0].weight.len() / layers[0].bias.len();
        let expected: Vec<f64> = images.chunks(n_inputs).flat_map(|image| naive(&layers, image)).collect();
        for set in InstructionSet::available() {
            let logits = logits(set, &layers, &images);
            prop_assert_eq!(logits.len(), expected.len());
            for (logit, expected) in logits.iter().zip(&expected) {
                let tolerance = 1e-5 * (1.0 + expected.abs());
                prop_assert!((f64::from(*logit) - expected).abs() < tolerance, "{}: {} is not {}", set, logit, expected);
            }
        }
    }

    #[test]
    fn logits_depend_neither_on_the_instruction_set_nor_on_other_images((layers, images) in cases()) {
        let n_inputs = layers[0].weight.len() / layers[0].bias.len();
        let bits = |logits: Vec<f32>| logits.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let sets = InstructionSet::available();
        let alone: Vec<u32> = images.chunks(n_inputs).flat_map(|image| bits(logits(sets[0], &layers, image))).collect();
        for set in sets {
            prop_assert_eq!(&bits(logits(set, &layers, &images)), &alone, "{}", set);
        }
    }
}

#[test]
fn what_is_no_number_in_a_hidden_layer_reaches_the_logits() {
    let layer = |weight: &[f32], bias: &[f32]| LayerParameters {
        weight: weight.to_vec(),
        bias: bias.to_vec(),
    };
    // Infinity twice, then one minus the other, which is no number; a ReLU that made it zero would hide it.
    let layers = [
        layer(&[3e38, 3e38], &[0.0; 2]),
        layer(&[1.0, -1.0], &[0.0]),
        layer(&[1.0], &[0.0]),
    ];
    for set in InstructionSet::available() {
        assert!(logits(set, &layers, &[10.0])[0].is_nan(), "{set}");
    }
}

#[test]
fn shapes_that_do_not_belong_together_are_a_mistake_of_the_caller() {
    let layer = |n_inputs: usize, n_outputs: usize| LayerParameters {
        weight: vec![0.5; n_inputs * n_outputs],
        bias: vec![0.0; n_outputs],
    };
    let set = InstructionSet::best();
    for layers in [
        vec![],
        vec![layer(3, 2), layer(3, 2)],
        vec![layer(0, 2)],
        vec![layer(2, 0)],
    ] {
        assert!(std::panic::catch_unwind(|| forward(set, &layers)).is_err());
    }
    for (n_pixels, n_logits) in [(5, 4), (6, 3)] {
        let run = || {
            let forward = forward(set, &[layer(3, 2)]);
            forward.logits(&vec![0.0; n_pixels], &mut Scratch::default(), &mut vec![0.0; n_logits]);
        };
        assert!(std::panic::catch_unwind(run).is_err());
    }
}
