//! The weights with which a training starts.

use mnist_data::Random;
use model::{Layer, Network};

/// Weights have a stream of random numbers of their own, far from those of the epochs and of the noise.
const STREAM: u64 = u64::MAX - 1;

/// Outputs of the hidden layers, as in the original.
const HIDDEN_WIDTHS: [usize; 2] = [256, 64];

/// A network from `n_inputs` pixels to `n_classes` classes, both at least 1, with Glorot-uniform weights and zero bias.
///
/// The numbers come from our own generator and not from an engine's, so that all engines start alike.
pub(crate) fn initial_network(n_inputs: usize, n_classes: usize, seed: u64) -> Network {
    let mut random = Random::new(seed, STREAM);
    let [first, second] = HIDDEN_WIDTHS;
    let widths = [n_inputs, first, second, n_classes];
    let layers = widths.windows(2).map(|pair| layer(pair[0], pair[1], &mut random));
    Network::new(layers.collect()).expect("neighbouring widths fit together and the limits are finite")
}

/// Uniform between ±√(6 / (n_inputs + n_outputs)) (Glorot and Bengio, 2010).
fn layer(n_inputs: usize, n_outputs: usize, random: &mut Random) -> Layer {
    let limit = (6.0 / (n_inputs + n_outputs) as f32).sqrt();
    let weights = (0..n_inputs * n_outputs).map(|_| (2.0 * random.unit() - 1.0) * limit);
    Layer {
        weights: weights.collect(),
        bias: vec![0.0; n_outputs],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fill_the_interval_of_glorot() {
        let network = initial_network(784, 10, 1);
        assert_eq!(network.widths(), [784, 256, 64, 10]);
        for layer in network.layers() {
            let limit = (6.0 / (layer.n_inputs() + layer.n_outputs()) as f32).sqrt();
            let largest = layer
                .weights
                .iter()
                .fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
            assert!((0.95 * limit..=limit).contains(&largest), "{largest} of {limit}");
            let mean = layer.weights.iter().sum::<f32>() / layer.weights.len() as f32;
            assert!(mean.abs() < 0.1 * limit, "mean {mean}");
            assert!(layer.bias.iter().all(|&bias| bias == 0.0));
        }
    }

    #[test]
    fn a_seed_decides_the_weights() {
        assert_eq!(initial_network(9, 2, 5), initial_network(9, 2, 5));
        assert_ne!(initial_network(9, 2, 5), initial_network(9, 2, 6));
    }
}
