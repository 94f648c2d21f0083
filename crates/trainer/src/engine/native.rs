//! The engine on our own kernels: the default on a processor.

use kernels::{AdamSettings, Extra, LayerParameters, NetworkSettings, PixelOrder, Samples};
use mnist_data::{Dataset, Stretch};
use model::{Layer, Network};

use super::Engine;
use crate::{
    adam::{BETA_1, BETA_2},
    settings::{Compute, TrainingSettings},
};

/// Trains on tiled bytes of the images, on as many threads as it is given. The weights depend neither on how many there are nor on
/// the instruction set.
pub(crate) struct NativeEngine {
    samples: Samples,
    network: kernels::Network,
}

impl NativeEngine {
    /// An engine that starts with the weights of `initial` and takes steps of up to `settings.batch_size` images.
    pub(crate) fn new(dataset: &Dataset, initial: &Network, settings: &TrainingSettings, compute: Compute) -> Self {
        let (height, width) = dataset.image_size();
        let pixel_order = PixelOrder::Image { height, width };
        let network_settings = NetworkSettings {
            pixel_order,
            layer_outputs: initial.layers().iter().map(Layer::n_outputs).collect(),
            adam: AdamSettings {
                beta1: BETA_1,
                beta2: BETA_2,
                epsilon: settings.epsilon as f32,
                weight_decay: settings.weight_decay as f32,
            },
            label_smoothing: settings.label_smoothing as f32,
            batch_size_max: settings.batch_size.get() as usize,
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
            network: kernels::Network::new(network_settings, &parameters),
        }
    }
}

impl Engine for NativeEngine {
    fn train(&mut self, stretch: &Stretch, learning_rates: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
        let extra = Extra {
            bytes: stretch.moved(),
            bytes_labels: stretch.moved_labels(),
            floats: stretch.noisy(),
            floats_labels: stretch.noisy_labels(),
        };
        self.network
            .train(&self.samples, &extra, stretch.rows(), learning_rates, losses);
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
