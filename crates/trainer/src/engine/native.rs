//! The engine on our own kernels: the default on a processor.

use kernels::{AdamSettings, LayerParameters, NetworkSettings, PixelOrder, Samples};
use mnist_data::{Dataset, Stretch};
use model::{Layer, Network};

use super::Engine;
use crate::{
    adam::{BETA_1, BETA_2},
    settings::{Compute, TrainingSettings},
};

/// Trains on tiled bytes of the images, on as many threads as it is given. The weights depend neither on how many there are nor on
/// the instruction set.
pub(crate) struct NativeEngine<'a> {
    dataset: &'a Dataset,
    samples: Samples,
    network: kernels::Network,
    mixed: MixedBatch,
}

/// A batch that has rows which the samples do not hold.
struct MixedBatch {
    batch: kernels::Batch,
    pixels: Vec<f32>, // [batch_size, n_pixels]
    labels: Vec<u8>,  // [batch_size]
}

impl<'a> NativeEngine<'a> {
    /// An engine that starts with the weights of `initial` and takes steps of up to `settings.batch_size` images.
    pub(crate) fn new(dataset: &'a Dataset, initial: &Network, settings: &TrainingSettings, compute: Compute) -> Self {
        let (height, width) = dataset.image_size();
        let pixel_order = PixelOrder::Image { height, width };
        let batch_size_max = settings.batch_size.get() as usize;
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
            dataset,
            samples: Samples::new(pixel_order, pixels, dataset.labels()),
            network: kernels::Network::new(network_settings, &parameters),
            mixed: MixedBatch {
                batch: kernels::Batch::new(pixel_order, batch_size_max),
                pixels: Vec::new(),
                labels: Vec::new(),
            },
        }
    }
}

impl Engine for NativeEngine<'_> {
    fn train(&mut self, stretch: &Stretch, learning_rates: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
        let rows = stretch.rows();
        if stretch.moved().is_empty() && stretch.noisy().is_empty() {
            self.network.train(&self.samples, rows, learning_rates, losses);
            return Ok(());
        }
        let rows = rows.chunks_exact(rows.len() / losses.len());
        for ((rows, &learning_rate), loss) in rows.zip(learning_rates).zip(losses) {
            self.mixed.fill(self.dataset, stretch, rows);
            *loss = self.network.step(&self.mixed.batch, learning_rate);
        }
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

impl MixedBatch {
    fn fill(&mut self, dataset: &Dataset, stretch: &Stretch, rows: &[u32]) {
        let n_pixels = dataset.n_pixels();
        self.pixels.resize(rows.len() * n_pixels, 0.0);
        self.labels.clear();
        let places = self.pixels.chunks_exact_mut(n_pixels);
        let labels = rows
            .iter()
            .zip(places)
            .map(|(&row, pixels)| stretch.scale_into(dataset, row, pixels));
        self.labels.extend(labels);
        self.batch.fill(&self.pixels, &self.labels);
    }
}
