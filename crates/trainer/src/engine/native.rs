//! The engine on our own kernels: the default on a processor.

use kernels::{AdamSettings, LayerParameters, NetworkSettings, PixelOrder, Samples};
use mnist_data::Dataset;
use model::{Layer, Network};

use super::Engine;
use crate::{
    adam::{BETA_1, BETA_2, EPSILON},
    settings::Compute,
};

/// Trains on tiled bytes of the images, on as many threads as it is given. The weights depend neither on how many there are nor on
/// the instruction set.
pub(crate) struct NativeEngine {
    samples: Samples,
    network: kernels::Network,
}

impl NativeEngine {
    /// An engine that starts with the weights of `initial` and takes steps of up to `batch_size_max` images.
    pub(crate) fn new(dataset: &Dataset, initial: &Network, batch_size_max: usize, compute: Compute) -> Self {
        let (height, width) = dataset.image_size();
        let pixel_order = PixelOrder::Image { height, width };
        let settings = NetworkSettings {
            pixel_order,
            layer_outputs: initial.layers().iter().map(Layer::n_outputs).collect(),
            adam: AdamSettings {
                beta1: BETA_1,
                beta2: BETA_2,
                epsilon: EPSILON,
                weight_decay: 0.0,
            },
            label_smoothing: 0.0,
            batch_size_max,
            n_threads: compute.n_threads.get(),
            instruction_set: compute.instruction_set,
        };
        let parameters: Vec<LayerParameters> = initial
            .layers()
            .iter()
            .map(|layer| LayerParameters {
                weight: layer.weights.clone(),
                bias: layer.bias.clone(),
            })
            .collect();
        let images = dataset.images();
        let pixels = images.as_slice().expect("a data set is in standard layout");
        Self {
            samples: Samples::new(pixel_order, pixels, dataset.labels()),
            network: kernels::Network::new(settings, &parameters),
        }
    }
}

impl Engine for NativeEngine {
    fn train(&mut self, rows: &[u32], learning_rates: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
        self.network.train(&self.samples, rows, learning_rates, losses);
        Ok(())
    }

    fn network(&mut self) -> anyhow::Result<Network> {
        let layers = self.network.parameters().into_iter().map(|layer| Layer {
            weights: layer.weight,
            bias: layer.bias,
        });
        Ok(Network::new(layers.collect())?)
    }
}
