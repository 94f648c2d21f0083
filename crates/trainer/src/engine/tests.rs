#[cfg(feature = "wgpu")]
mod graphics_card;
mod reference;

use std::num::NonZeroUsize;

use kernels::InstructionSet;
use mnist_data::{Augmentation, Augmenter, Batches, Dataset};
use model::Layer;
use ndarray::Array3;
use test_support::Digits;

use reference::Reference;

use super::*;
use crate::{
    device::{Device, DeviceKind},
    initial::initial_network,
    recipe::Recipe,
    settings::{Compute, TrainingSettings},
};

/// Every device that an engine test runs on.
const DEVICES: [DeviceKind; 3] = [DeviceKind::Native, DeviceKind::Flex, DeviceKind::Ndarray];

fn digits(n_images: usize) -> Dataset {
    let Digits { images, labels } = Digits::draw(n_images, 1);
    Dataset::new(Array3::from_shape_vec((n_images, 28, 28), images).unwrap(), labels, 10).unwrap()
}

fn batches(dataset: &Dataset, batch_size: usize) -> Batches<'_> {
    Batches::new(dataset, NonZeroUsize::new(batch_size).unwrap(), 1).unwrap()
}

/// The original's settings.
fn tutorial(batch_size: u32) -> TrainingSettings {
    TrainingSettings {
        batch_size: batch_size.try_into().unwrap(),
        ..Recipe::Tutorial.settings(1, DeviceKind::Native)
    }
}

/// Settings in which everything that an engine has to know of is switched on.
fn everything(batch_size: u32) -> TrainingSettings {
    TrainingSettings {
        batch_size: batch_size.try_into().unwrap(),
        weight_decay: 0.3,
        label_smoothing: 0.1,
        ..Recipe::Default.settings(1, DeviceKind::Native)
    }
}

/// An engine at its start.
fn start<'a>(
    device: DeviceKind,
    dataset: &'a Dataset,
    initial: &Network,
    settings: &TrainingSettings,
) -> Box<dyn Engine + 'a> {
    start_on(&device.open().unwrap(), dataset, initial, settings)
}

fn start_on<'a>(
    device: &Device,
    dataset: &'a Dataset,
    initial: &Network,
    settings: &TrainingSettings,
) -> Box<dyn Engine + 'a> {
    let compute = Compute {
        n_threads: NonZeroUsize::new(2).unwrap(),
        instruction_set: InstructionSet::best(),
    };
    device.start_engine(dataset, initial, settings, compute)
}

/// The losses of the first steps at a constant rate, in two goes, which must make no difference.
fn losses(engine: &mut dyn Engine, dataset: &Dataset, settings: &TrainingSettings, steps: usize) -> Vec<f32> {
    let batch_size = settings.batch_size.get() as usize;
    let mut batches = batches(dataset, batch_size);
    let augmenter = augmenter(dataset, settings.augmentation);
    let mut stretch = Stretch::default();
    let mut losses = vec![0.0; steps];
    let half = steps / 2;
    let (first, last) = losses.split_at_mut(half);
    for (first_step, losses) in [(0, first), (half, last)] {
        let rows: Vec<u32> = losses.iter().flat_map(|_| batches.next_rows().to_vec()).collect();
        augmenter.fill(first_step as u64, batch_size, &rows, &mut stretch);
        let rates = vec![settings.learning_rate as f32; losses.len()];
        engine.train(&stretch, &rates, losses).unwrap();
    }
    losses
}

fn augmenter(dataset: &Dataset, augmentation: Augmentation) -> Augmenter<'_> {
    Augmenter::new(dataset, augmentation, 1, NonZeroUsize::MIN).unwrap()
}

/// A network of odd widths that is small enough for the slow reference, a layer of one unit included.
fn small_network() -> Network {
    let start = initial_network(784, 10, 3);
    let cut = |layer: &Layer, n_inputs: usize, n_outputs: usize| Layer {
        weights: layer.weights[..n_inputs * n_outputs].to_vec(),
        bias: vec![0.01; n_outputs],
    };
    let [first, second, third] = start.layers() else {
        unreachable!("the network has three layers")
    };
    Network::new(vec![cut(first, 784, 13), cut(second, 13, 7), cut(third, 7, 10)]).unwrap()
}

#[test]
fn every_engine_follows_the_definition_step_by_step() {
    let dataset = digits(100);
    let initial = small_network();
    for settings in [tutorial(9), everything(9)] {
        let mut reference = Reference::new(&initial, &settings);
        let augmenter = augmenter(&dataset, settings.augmentation);
        let mut known = batches(&dataset, 9);
        let mut stretch = Stretch::default();
        let mut images = vec![0.0; 9 * 784];
        let mut expect = |step| {
            augmenter.fill(step, 9, known.next_rows(), &mut stretch);
            let rows = stretch.rows().iter().zip(images.chunks_exact_mut(784));
            let labels: Vec<u8> = rows
                .map(|(&row, image)| stretch.scale_into(&dataset, row, image))
                .collect();
            reference.step(&images, &labels)
        };
        let expected: Vec<f64> = (0..25).map(&mut expect).collect();
        for device in DEVICES {
            let mut engine = start(device, &dataset, &initial, &settings);
            let losses = losses(engine.as_mut(), &dataset, &settings, 25);
            for (step, (&loss, expected)) in losses.iter().zip(&expected).enumerate() {
                assert!(
                    (f64::from(loss) - expected).abs() < 1e-3,
                    "{device:?}, step {step}: {loss} is not {expected}"
                );
            }
            let network = engine.network().unwrap();
            let difference = reference.largest_difference(&network);
            assert!(difference < 1e-3, "{device:?}: weights differ by up to {difference}");
        }
    }
}

/// Changes only when weights, batches or arithmetic do: then runs of earlier releases cannot be repeated any more.
#[test]
fn the_first_losses_of_one_seed_are_known() {
    let dataset = digits(300);
    let expected = [
        2.308_895,
        2.069_336,
        2.658_3,
        1.439_865,
        1.075_472,
        1.135_381,
        0.721_801,
        0.829_876,
        0.455_524,
        0.336_571_f32,
    ];
    let settings = tutorial(32);
    for device in DEVICES {
        let mut engine = start(device, &dataset, &initial_network(784, 10, 1), &settings);
        let losses = losses(engine.as_mut(), &dataset, &settings, 10);
        for (loss, expected) in losses.iter().zip(&expected) {
            assert!(
                (loss - expected).abs() < 1e-3 * expected.max(1.0),
                "{losses:?} are not {expected:?}"
            );
        }
    }
}

#[test]
fn drawn_digits_are_learnt() {
    let dataset = digits(300);
    let settings = tutorial(32);
    for device in DEVICES {
        let mut engine = start(device, &dataset, &initial_network(784, 10, 1), &settings);
        let losses = losses(engine.as_mut(), &dataset, &settings, 60);
        assert!(losses[59] < 0.3, "{losses:?}");
        let images = dataset.scaled(0..300);
        let classified = engine
            .network()
            .unwrap()
            .classify(images.as_slice().unwrap(), 300)
            .unwrap();
        let right = classified.class_ids.iter().zip(dataset.labels());
        let n_right = right
            .filter(|&(&class_id, &label)| class_id == usize::from(label))
            .count();
        assert!(n_right > 280, "{n_right} of 300");
    }
}

/// The way of an engine: the losses of the first 200 steps, and the network after them.
fn way(device: &Device, dataset: &Dataset, settings: &TrainingSettings) -> (Vec<f32>, Network) {
    let mut engine = start_on(device, dataset, &initial_network(784, 10, 1), settings);
    let losses = losses(engine.as_mut(), dataset, settings, 200);
    (losses, engine.network().unwrap())
}

/// The engines round sums in different orders, and training amplifies that, so they drift apart slowly. In the tutorial's
/// 200 steps losses differ by at most 0.002, weights by at most a hundredth of their size. Smoothed labels keep the
/// gradients large, so there the amplification is stronger; noise would make it stronger still and is left out.
fn assert_same_way(devices: &[Device]) {
    let dataset = digits(2000);
    let without_noise = TrainingSettings {
        learning_rate: 0.002,
        augmentation: tutorial(128).augmentation,
        ..everything(128)
    };
    for (settings, losses_max, weights_max) in [(tutorial(128), 2e-3, 1e-2), (without_noise, 5e-3, 5e-2)] {
        let native = DeviceKind::Native.open().unwrap();
        let (expected_losses, expected) = way(&native, &dataset, &settings);
        for device in devices {
            let (losses, network) = way(device, &dataset, &settings);
            let name = device.name();
            for (step, (loss, expected)) in losses.iter().zip(&expected_losses).enumerate() {
                assert!(
                    (loss - expected).abs() < losses_max,
                    "step {step} on {name}: {loss} is not {expected}"
                );
            }
            for (found, expected) in network.layers().iter().zip(expected.layers()) {
                let pairs = found.weights.iter().zip(&expected.weights);
                let squares: f64 = pairs.clone().map(|(a, b)| f64::from(a - b).powi(2)).sum();
                let size: f64 = pairs.map(|(_, b)| f64::from(*b).powi(2)).sum();
                let relative = (squares / size).sqrt();
                assert!(
                    relative < weights_max,
                    "weights on {name} differ by {relative} of their size"
                );
            }
        }
    }
}

#[test]
fn all_engines_take_the_same_way_for_200_steps() {
    assert_same_way(&[DeviceKind::Flex, DeviceKind::Ndarray].map(|device| device.open().unwrap()));
}

#[test]
fn an_engine_goes_on_from_a_state_to_the_bit() {
    let dataset = digits(300);
    let settings = everything(32);
    let augmenter = augmenter(&dataset, settings.augmentation);
    // The losses of the 20 steps after `first`, with the batches sought as a run does that goes on.
    let run = |engine: &mut dyn Engine, first: u64| {
        let mut batches = batches(&dataset, 32);
        batches.seek(first);
        let rows: Vec<u32> = (0..20).flat_map(|_| batches.next_rows().to_vec()).collect();
        let mut stretch = Stretch::default();
        augmenter.fill(first, 32, &rows, &mut stretch);
        let mut losses = [0.0; 20];
        engine.train(&stretch, &[0.01; 20], &mut losses).unwrap();
        losses
    };
    let initial = initial_network(784, 10, 1);
    for device in DEVICES {
        let mut whole = start(device, &dataset, &initial, &settings);
        run(whole.as_mut(), 0);
        let state = whole.state().unwrap();
        let expected = run(whole.as_mut(), 20);

        let mut later = start(device, &dataset, &initial, &settings);
        later.restore(&state, 20).unwrap();
        assert_eq!(later.state().unwrap(), state, "{device:?}");
        assert_eq!(run(later.as_mut(), 20), expected, "{device:?}");
        assert_eq!(later.state().unwrap(), whole.state().unwrap(), "{device:?}");
    }
}

#[test]
fn engines_classify_as_their_weights_do() {
    let dataset = digits(300);
    let images = dataset.scaled(0..100);
    let images = images.as_slice().unwrap();
    for device in DEVICES {
        let mut engine = start(device, &dataset, &initial_network(784, 10, 1), &tutorial(32));
        let expected = engine.network().unwrap().classify(images, 100).unwrap().class_ids;
        assert_eq!(engine.classify(images, 100).unwrap(), expected, "{device:?}");
    }
}
