mod reference;

use std::num::NonZeroUsize;

use kernels::InstructionSet;
use mnist_data::{Batch, Batches, Dataset};
use model::Layer;
use ndarray::Array3;
use test_support::Digits;

use reference::Reference;

use super::*;
use crate::{device::DeviceKind, initial::initial_network, settings::Compute};

const LEARNING_RATE: f32 = 0.01;

/// Every device that an engine test runs on.
const DEVICES: [DeviceKind; 3] = [DeviceKind::Native, DeviceKind::Flex, DeviceKind::Ndarray];

fn digits(n_images: usize) -> Dataset {
    let Digits { images, labels } = Digits::draw(n_images, 1);
    Dataset::new(Array3::from_shape_vec((n_images, 28, 28), images).unwrap(), labels, 10).unwrap()
}

fn batches(dataset: &Dataset, batch_size: usize) -> Batches<'_> {
    Batches::new(dataset, NonZeroUsize::new(batch_size).unwrap(), 1).unwrap()
}

/// An engine at its start.
fn start<'a>(device: DeviceKind, batches: &Batches<'a>, initial: &Network) -> Box<dyn Engine + 'a> {
    let compute = Compute {
        n_threads: NonZeroUsize::new(2).unwrap(),
        instruction_set: InstructionSet::best(),
    };
    device.start_engine(batches, initial, compute)
}

/// The losses of the next steps, in two goes, which must make no difference.
fn losses(engine: &mut dyn Engine, mut batches: Batches<'_>, steps: usize) -> Vec<f32> {
    let rows: Vec<u32> = (0..steps).flat_map(|_| batches.next_rows().to_vec()).collect();
    let mut losses = vec![0.0; steps];
    let half = steps / 2;
    let (first_rows, last_rows) = rows.split_at(half * batches.batch_size());
    let rates = vec![LEARNING_RATE; steps];
    engine.train(first_rows, &rates[..half], &mut losses[..half]).unwrap();
    engine.train(last_rows, &rates[half..], &mut losses[half..]).unwrap();
    losses
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
    let mut reference = Reference::new(&initial, 0.01);
    let mut batch = Batch::new(9, 784);
    let mut known = batches(&dataset, 9);
    let mut expect = || {
        batch.fill(&dataset, known.next_rows());
        reference.step(&batch)
    };
    let expected: Vec<f64> = (0..25).map(|_| expect()).collect();
    for device in DEVICES {
        let batches = batches(&dataset, 9);
        let mut engine = start(device, &batches, &initial);
        let losses = losses(engine.as_mut(), batches, 25);
        for (step, (&loss, expected)) in losses.iter().zip(&expected).enumerate() {
            assert!(
                (f64::from(loss) - expected).abs() < 1e-3,
                "step {step}: {loss} is not {expected}"
            );
        }
        let network = engine.network().unwrap();
        let difference = reference.largest_difference(&network);
        assert!(difference < 1e-3, "weights differ by up to {difference}");
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
    for device in DEVICES {
        let batches = batches(&dataset, 32);
        let mut engine = start(device, &batches, &initial_network(784, 10, 1));
        let losses = losses(engine.as_mut(), batches, 10);
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
    for device in DEVICES {
        let batches = batches(&dataset, 32);
        let mut engine = start(device, &batches, &initial_network(784, 10, 1));
        let losses = losses(engine.as_mut(), batches, 60);
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

/// The engines round sums in different orders, and training amplifies that, so they drift apart slowly: losses by at most
/// 0.002 in 200 steps, weights by at most a hundredth of their size.
#[test]
fn all_engines_take_the_same_way_for_200_steps() {
    let dataset = digits(2000);
    let way = |device| {
        let batches = batches(&dataset, 128);
        let mut engine = start(device, &batches, &initial_network(784, 10, 1));
        (losses(engine.as_mut(), batches, 200), engine.network().unwrap())
    };
    let (expected_losses, expected) = way(DeviceKind::Native);
    for device in [DeviceKind::Flex, DeviceKind::Ndarray] {
        let (losses, network) = way(device);
        for (step, (loss, expected)) in losses.iter().zip(&expected_losses).enumerate() {
            assert!(
                (loss - expected).abs() < 2e-3,
                "step {step} on {device:?}: {loss} is not {expected}"
            );
        }
        for (found, expected) in network.layers().iter().zip(expected.layers()) {
            let pairs = found.weights.iter().zip(&expected.weights);
            let squares: f64 = pairs.clone().map(|(a, b)| f64::from(a - b).powi(2)).sum();
            let size: f64 = pairs.map(|(_, b)| f64::from(*b).powi(2)).sum();
            let relative = (squares / size).sqrt();
            assert!(
                relative < 1e-2,
                "weights on {device:?} differ by {relative} of their size"
            );
        }
    }
}
