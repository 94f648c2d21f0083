//! The engine on our own kernels: the default on a processor.

use kernels::{AdamSettings, Extra, LayerParameters, NetworkSettings, OptimizerState, PixelOrder, Samples};
use mnist_data::{Dataset, Stretch};
use model::{Layer, Network, TrainingState};

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
        let images = dataset.images();
        let pixels = images.as_slice().expect("a data set is in standard layout");
        Self {
            samples: Samples::new(pixel_order, pixels, dataset.labels()),
            network: kernels::Network::new(network_settings, &parameters(initial.layers())),
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
        Ok(Network::new(layers(self.network.parameters()))?)
    }

    fn state(&mut self) -> anyhow::Result<TrainingState> {
        let OptimizerState { mean, mean_square, .. } = self.network.optimizer_state();
        Ok(TrainingState {
            weights: layers(self.network.parameters()),
            moment_1: layers(mean),
            moment_2: layers(mean_square),
        })
    }

    fn restore(&mut self, state: &TrainingState, n_steps: u32) -> anyhow::Result<()> {
        let optimizer = OptimizerState {
            n_steps: n_steps.into(),
            mean: parameters(&state.moment_1),
            mean_square: parameters(&state.moment_2),
        };
        self.network.restore(&parameters(&state.weights), &optimizer);
        Ok(())
    }

    /// On the threads and with the skipped zeros of the training, which makes a look during a run cost next to nothing.
    fn classify(&mut self, pixels: &[f32], n_images: usize) -> anyhow::Result<Vec<usize>> {
        let logits = self.network.logits(pixels);
        let rows = logits.chunks_exact(logits.len() / n_images);
        Ok(rows.map(kernels::arg_max).collect())
    }
}

/// The numbers of layers as the kernels take them.
fn parameters(layers: &[Layer]) -> Vec<LayerParameters> {
    let parameters = layers.iter().map(|layer| LayerParameters {
        weight: layer.weights.clone(),
        bias: layer.bias.clone(),
    });
    parameters.collect()
}

/// The numbers of layers as the kernels give them.
fn layers(parameters: Vec<LayerParameters>) -> Vec<Layer> {
    let layers = parameters.into_iter().map(|layer| Layer {
        weights: layer.weight,
        bias: layer.bias,
    });
    layers.collect()
}
