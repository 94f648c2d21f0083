//! The whole step against plain loops in `f64`, and against itself with other threads and other instructions.

mod extra;
mod kernels;
mod reference;

use proptest::prelude::{ProptestConfig, Strategy, prop_assume, proptest};

use self::reference::Reference;
use super::{
    Network, NetworkSettings,
    adam::AdamSettings,
    draw::Extra,
    pixel_order::PixelOrder,
    samples::Samples,
    state::{LayerParameters, OptimizerState},
};
use crate::simd::InstructionSet;

/// Pseudo-random numbers for tests (SplitMix64): a seed in, the same numbers everywhere.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// From 0 up to, not including, `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// From -1 to 1.
    pub(crate) fn number(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

fn settings(pixel_order: PixelOrder, layer_outputs: &[usize], batch_size_max: usize) -> NetworkSettings {
    NetworkSettings {
        pixel_order,
        layer_outputs: layer_outputs.to_vec(),
        adam: AdamSettings {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-3,
            weight_decay: 0.0,
        },
        label_smoothing: 0.0,
        batch_size_max,
        n_threads: 1,
        instruction_set: InstructionSet::best(),
    }
}

/// Glorot's weights and small biases.
fn parameters(settings: &NetworkSettings, seed: u64) -> Vec<LayerParameters> {
    let mut draws = Draws(seed);
    let widths: Vec<usize> = [settings.pixel_order.n_inputs()]
        .into_iter()
        .chain(settings.layer_outputs.iter().copied())
        .collect();
    let layers = widths.windows(2).map(|shape| {
        let limit = (6.0 / (shape[0] + shape[1]) as f32).sqrt();
        LayerParameters {
            weight: (0..shape[0] * shape[1]).map(|_| draws.number() * limit).collect(),
            bias: (0..shape[1]).map(|_| draws.number() * 0.1).collect(),
        }
    });
    layers.collect()
}

/// Byte images that are mostly zero, some of them not at all, and labels.
fn images(n_rows: usize, n_inputs: usize, n_classes: usize, seed: u64) -> (Vec<u8>, Vec<u8>) {
    let mut draws = Draws(seed);
    let mut pixels = Vec::with_capacity(n_rows * n_inputs);
    for _ in 0..n_rows {
        let one_in = [1, 3, 8, 30][draws.below(4)];
        pixels.extend((0..n_inputs).map(|_| {
            if draws.below(one_in) == 0 {
                draws.below(256) as u8
            } else {
                0
            }
        }));
    }
    let labels = (0..n_rows).map(|_| draws.below(n_classes) as u8).collect();
    (pixels, labels)
}

fn scaled(pixels: &[u8]) -> Vec<f32> {
    pixels.iter().map(|pixel| f32::from(*pixel) / 255.0).collect()
}

/// One step on rows of numbers.
fn step(network: &mut Network, inputs: &[f32], labels: &[u8], learning_rate: f32) -> f32 {
    let none = Samples::empty(network.layers.settings().pixel_order);
    let extra = Extra {
        floats: inputs,
        floats_labels: labels,
        ..Extra::NONE
    };
    let rows: Vec<u32> = (0..labels.len() as u32).collect();
    let mut loss = [0.0];
    network.train(&none, &extra, &rows, &[learning_rate], &mut loss);
    loss[0]
}

fn bits(layers: &[LayerParameters]) -> Vec<u32> {
    layers
        .iter()
        .flat_map(|layer| layer.weight.iter().chain(&layer.bias))
        .map(|number| number.to_bits())
        .collect()
}

fn shape() -> impl Strategy<Value = (PixelOrder, Vec<usize>)> {
    let image = (1_usize..14, 1_usize..14).prop_map(|(height, width)| PixelOrder::Image { height, width });
    let order = proptest::prop_oneof![image, (1_usize..200).prop_map(|n_inputs| PixelOrder::Flat { n_inputs })];
    (order, proptest::collection::vec(1_usize..150, 2..5))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 1 } else { 24 }, ..ProptestConfig::default() })]

    #[test]
    fn training_is_what_plain_loops_compute(
        (order, layer_outputs) in shape(), n_rows in 1_usize..150, seed: u64, n_threads in 1_usize..4,
        weight_decay in 0.0_f32..0.5, label_smoothing in 0.0_f32..0.3,
    ) {
        let n_classes = layer_outputs[layer_outputs.len() - 1];
        for instruction_set in InstructionSet::available() {
            let mut settings = settings(order, &layer_outputs, n_rows + seed as usize % 70);
            settings.adam.weight_decay = weight_decay;
            settings = NetworkSettings { n_threads, instruction_set, label_smoothing, ..settings };
            let start = parameters(&settings, seed);
            let mut reference = Reference::new(&settings, &start);
            let mut network = Network::new(settings, &start);
            for index in 0..3 {
                let (pixels, labels) = images(n_rows, order.n_inputs(), n_classes, seed ^ index);
                prop_assume!(!reference.is_undecided(&scaled(&pixels)));
                let loss = step(&mut network, &scaled(&pixels), &labels, 0.01);
                let expected = reference.step(&scaled(&pixels), &labels, 0.01);
                assert!((f64::from(loss) - expected).abs() < 1e-4 * expected.max(1.0), "{loss} for {expected}");
            }
            reference.assert_near(&network.parameters(), 2e-4);
            let (pixels, _) = images(n_rows * 2 + 1, order.n_inputs(), n_classes, seed);
            let logits = network.logits(&scaled(&pixels));
            let expected = reference.logits(&scaled(&pixels));
            for (logit, expected) in logits.iter().zip(&expected) {
                assert!((f64::from(*logit) - expected).abs() < 2e-3 * expected.abs().max(1.0), "{logit}, {expected}");
            }
            assert_eq!(logits.len(), expected.len());
        }
    }
}

/// Trains on drawn rows of samples, and on others of bytes and of numbers; returns the losses, the weights and what the optimizer remembers.
fn train(
    change: impl Fn(&mut NetworkSettings),
    steps_per_call: usize,
) -> (Vec<f32>, Vec<LayerParameters>, OptimizerState) {
    let (n_steps, batch_size) = if cfg!(miri) { (2, 5) } else { (40, 100) };
    let order = PixelOrder::Image { height: 28, width: 28 };
    let mut settings = settings(order, &[200, 70, 10], batch_size);
    change(&mut settings);
    let start = parameters(&settings, 7);
    let (pixels, labels) = images(500, 784, 10, 8);
    let samples = Samples::new(order, &pixels, &labels);
    let (bytes, bytes_labels) = images(40, 784, 10, 10);
    let (clean, floats_labels) = images(30, 784, 10, 11);
    let mut draws = Draws(9);
    let floats: Vec<f32> = scaled(&clean)
        .iter()
        .map(|input| input + draws.number().max(0.0))
        .collect();
    let extra = Extra {
        bytes: &bytes,
        bytes_labels: &bytes_labels,
        floats: &floats,
        floats_labels: &floats_labels,
    };
    let rows: Vec<u32> = (0..n_steps * batch_size).map(|_| draws.below(570) as u32).collect();
    let rates: Vec<f32> = (0..n_steps).map(|step| 0.001 * (step + 1) as f32).collect();
    let mut losses = vec![0.0; n_steps];
    let mut network = Network::new(settings, &start);
    let calls = rows
        .chunks(steps_per_call * batch_size)
        .zip(rates.chunks(steps_per_call));
    for ((rows, rates), losses) in calls.zip(losses.chunks_mut(steps_per_call)) {
        network.train(&samples, &extra, rows, rates, losses);
    }
    (losses, network.parameters(), network.optimizer_state())
}

#[test]
fn threads_instructions_and_calls_do_not_change_a_bit() {
    let (losses, weights, state) = train(|_| (), usize::MAX / 1000);
    assert!(
        losses[losses.len() - 1] < losses[0] || cfg!(miri),
        "it learns: {losses:?}"
    );
    for instruction_set in InstructionSet::available() {
        for (n_threads, steps_per_call) in [(1, 1), (2, 40), (3, 7), (4, 40), (16, 2)] {
            let (other_losses, other_weights, other_state) = train(
                |settings| {
                    *settings = NetworkSettings {
                        n_threads,
                        instruction_set,
                        ..settings.clone()
                    }
                },
                steps_per_call,
            );
            assert_eq!(losses, other_losses, "{instruction_set}, {n_threads} threads");
            assert_eq!(
                bits(&weights),
                bits(&other_weights),
                "{instruction_set}, {n_threads} threads"
            );
            assert_eq!(state, other_state, "{instruction_set}, {n_threads} threads");
        }
    }
}

#[test]
fn a_larger_buffer_does_not_change_a_bit() {
    let (losses, weights, _) = train(|_| (), 40);
    let (other_losses, other_weights, _) = train(|settings| settings.batch_size_max += 77, 40);
    assert_eq!(losses, other_losses);
    assert_eq!(bits(&weights), bits(&other_weights));
}

#[test]
fn a_restored_training_goes_on_as_if_never_left() {
    for weight_decay in [0.0, 0.1] {
        let order = PixelOrder::Image { height: 9, width: 9 };
        let mut settings = settings(order, &[70, 20, 5], 30);
        settings.adam.weight_decay = weight_decay;
        let start = parameters(&settings, 1);
        let (pixels, labels) = images(60, 81, 5, 2);
        let samples = Samples::new(order, &pixels, &labels);
        // The first half of the rows has an empty corner: its weights have no moments when the training is left.
        let pixels_early: Vec<u8> = pixels
            .iter()
            .enumerate()
            .map(|(index, pixel)| if index % 81 < 40 { 0 } else { *pixel })
            .collect();
        let early = Samples::new(order, &pixels_early, &labels);
        let rows: Vec<u32> = (0..60).collect();
        let mut losses = [0.0; 4];
        let mut whole = Network::new(settings.clone(), &start);
        whole.train(&early, &Extra::NONE, &rows, &[0.01, 0.02], &mut losses[..2]);
        let (left_at, state) = (whole.parameters(), whole.optimizer_state());
        whole.train(&samples, &Extra::NONE, &rows, &[0.01, 0.02], &mut losses[2..]);

        let mut resumed = Network::new(settings, &start);
        resumed.restore(&left_at, &state);
        assert_eq!((resumed.parameters(), resumed.optimizer_state()), (left_at, state));
        let mut resumed_losses = [0.0; 2];
        resumed.train(&samples, &Extra::NONE, &rows, &[0.01, 0.02], &mut resumed_losses);
        assert_eq!(losses[2..], resumed_losses);
        assert_eq!(bits(&whole.parameters()), bits(&resumed.parameters()));
        assert_eq!(whole.optimizer_state(), resumed.optimizer_state());
    }
}

#[test]
fn weights_of_inputs_that_were_never_seen_decay_to_the_bit() {
    let order = PixelOrder::Image { height: 28, width: 28 };
    let mut settings = settings(order, &[70, 10], 20);
    settings.adam.weight_decay = 0.05;
    let start = parameters(&settings, 1);
    let (mut pixels, labels) = images(20, 784, 10, 2);
    // The upper half stays empty.
    for image in pixels.chunks_exact_mut(784) {
        image[..392].fill(0);
    }
    let samples = Samples::new(order, &pixels, &labels);
    let rows: Vec<u32> = (0..20).cycle().take(60).collect();
    for instruction_set in InstructionSet::available() {
        let settings = NetworkSettings {
            instruction_set,
            ..settings.clone()
        };
        let mut network = Network::new(settings, &start);
        network.train(&samples, &Extra::NONE, &rows, &[0.01, 0.5, 0.02], &mut [0.0; 3]);
        let weights = &network.parameters()[0].weight;
        for (weight, &first) in weights.iter().zip(&start[0].weight).take(392 * 70) {
            let expected = [0.01, 0.5, 0.02].iter().fold(first, |weight, rate: &f64| {
                (1.0 - f64::from(*rate as f32) * f64::from(0.05_f32)) as f32 * weight
            });
            assert_eq!(weight.to_bits(), expected.to_bits(), "{instruction_set}");
        }
    }
}

#[test]
fn a_loss_that_is_no_number_is_told() {
    let order = PixelOrder::Flat { n_inputs: 4 };
    let settings = settings(order, &[3, 2], 1);
    let mut start = parameters(&settings, 5);
    start[1].bias[0] = f32::NAN;
    let mut network = Network::new(settings, &start);
    assert!(step(&mut network, &[1.0; 4], &[0], 0.01).is_nan());
}

#[test]
fn mistakes_of_the_caller_are_named() {
    fn refusal(work: impl FnOnce()) -> String {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
    }
    let order = PixelOrder::Flat { n_inputs: 4 };
    let good = settings(order, &[70, 2], 3);
    let start = parameters(&good, 5);
    let with = |change: &dyn Fn(&mut NetworkSettings)| {
        let mut settings = good.clone();
        change(&mut settings);
        refusal(|| drop(Network::new(settings, &start)))
    };
    assert!(with(&|settings| settings.layer_outputs = vec![2]).contains("two layers at least"));
    assert!(with(&|settings| settings.layer_outputs = vec![0, 2]).contains("at least one output"));
    assert!(with(&|settings| settings.layer_outputs = vec![71, 2]).contains("layer 0"));
    assert!(with(&|settings| settings.adam.epsilon = 0.0).contains("epsilon is above 0"));
    assert!(with(&|settings| settings.adam.beta2 = 1.0).contains("beta2"));
    assert!(with(&|settings| settings.n_threads = 0).contains("at least one thread"));
    let mut network = Network::new(
        NetworkSettings {
            n_threads: 2,
            ..good.clone()
        },
        &start,
    );
    let mut refused = |inputs: &[f32], labels: &[u8]| refusal(|| _ = step(&mut network, inputs, labels, 0.1));
    assert!(refused(&[1.0; 8], &[0, 2]).contains("label 2 of 2 classes"));
    assert!(refused(&[1.0; 16], &[0; 4]).contains("1 to 3 rows in a step, not 4"));
    assert!(refused(&[1.0; 7], &[0; 2]).contains("4 inputs for each of 2 labels"));
    let other_order = Samples::empty(PixelOrder::Flat { n_inputs: 5 });
    let mut network = Network::new(good, &start);
    let mut train = |samples: &Samples, rows: &[u32]| {
        let bytes = Extra {
            bytes: &[1; 8],
            bytes_labels: &[0, 1],
            ..Extra::NONE
        };
        refusal(|| network.train(samples, &bytes, rows, &[0.1], &mut [0.0]))
    };
    assert!(train(&other_order, &[0]).contains("one pixel order"));
    assert!(
        train(&Samples::empty(order), &[2]).contains("index"),
        "there are two rows"
    );
    assert!(
        step(&mut network, &[1.0; 8], &[0, 1], 0.1).is_finite(),
        "a refused step does not stop the team"
    );
}
