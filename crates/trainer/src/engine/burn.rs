//! The engine on burn tensors: gradients by automatic differentiation, on whatever device burn has.

use burn::tensor::{
    Device, Gradients, Tensor, TensorData, activation::relu, loss::cross_entropy_with_logits, module::linear,
};
use mnist_data::{Dataset, Stretch};
use model::{Layer, Network, TrainingState};

use super::Engine;
use crate::{
    adam::{Adam, AdamStep, BETA_1, BETA_2},
    settings::TrainingSettings,
};

/// Dense layers with ReLU between them, softmax cross-entropy with smoothed labels, Adam.
pub(crate) struct BurnEngine<'a> {
    device: Device,
    dataset: &'a Dataset,
    layers: Vec<DenseLayer>,
    adam: Adam,
    label_smoothing: f32,
}

struct DenseLayer {
    weights: Parameter<2>, // [n_inputs, n_outputs]
    bias: Parameter<1>,    // [n_outputs]
}

/// A tensor that is learnt, with what Adam keeps beside it; none of them is tracked by the automatic differentiation.
struct Parameter<const D: usize> {
    value: Tensor<D>,
    /// The decaying sum of gradients, of which Adam's first moment is the `(1 − β₁)`th part. To keep the sum instead of
    /// the mean saves a pass over memory in every step.
    sum_1: Tensor<D>,
    /// Likewise, of squared gradients.
    sum_2: Tensor<D>,
}

/// The scalars of one optimizer step, for sums instead of means.
#[derive(Clone, Copy)]
struct Step {
    rate: f32,
    epsilon: f32,
    /// The part of itself that a weight keeps; a bias keeps all of itself.
    kept: f32,
}

impl<'a> BurnEngine<'a> {
    pub(crate) fn new(device: Device, dataset: &'a Dataset, initial: &Network, settings: &TrainingSettings) -> Self {
        let layers = initial.layers().iter().map(|layer| DenseLayer::new(layer, &device));
        Self {
            layers: layers.collect(),
            device,
            dataset,
            adam: Adam::new(settings),
            label_smoothing: settings.label_smoothing as f32,
        }
    }

    /// One of the tensors of every layer, as plain numbers.
    fn read(
        &self,
        of_weights: fn(&Parameter<2>) -> &Tensor<2>,
        of_bias: fn(&Parameter<1>) -> &Tensor<1>,
    ) -> anyhow::Result<Vec<Layer>> {
        let layers = self.layers.iter().map(|layer| {
            Ok(Layer {
                weights: of_weights(&layer.weights).try_to_vec_as()?,
                bias: of_bias(&layer.bias).try_to_vec_as()?,
            })
        });
        layers.collect()
    }

    /// Takes a step and returns the loss of its batch, which is still to be read from the device.
    fn step(&mut self, stretch: &Stretch, rows: &[u32], learning_rate: f32) -> Tensor<1> {
        let tracked: Vec<_> = self.layers.iter().map(DenseLayer::tracked).collect();
        let (images, targets) = self.batch(stretch, rows);
        let loss = Self::loss(&tracked, images, targets);
        let mut gradients = loss.backward();
        let step = Step::new(self.adam.next_step(learning_rate));
        let layers = std::mem::take(&mut self.layers).into_iter().zip(tracked);
        self.layers = layers
            .map(|(layer, (weights, bias))| DenseLayer {
                weights: layer.weights.moved(weights, &mut gradients, step),
                bias: layer.bias.moved(bias, &mut gradients, step.of_bias()),
            })
            .collect();
        loss.inner()
    }

    /// Mean softmax cross-entropy of a batch, with the tracked `layers`.
    fn loss(layers: &[(Tensor<2>, Tensor<1>)], images: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        let mut values = images;
        for (index, (weights, bias)) in layers.iter().enumerate() {
            if index > 0 {
                values = relu(values);
            }
            values = linear(values, weights.clone(), Some(bias.clone()));
        }
        cross_entropy_with_logits(values, targets)
    }

    /// The images of a batch, one a row, and what is wanted of each: certainty in the column of its class, but for the part
    /// that all classes share evenly. The tensors take over the memory that they are written to.
    fn batch(&self, stretch: &Stretch, rows: &[u32]) -> (Tensor<2>, Tensor<2>) {
        let (n_images, n_pixels) = (rows.len(), self.dataset.n_pixels());
        let n_classes = self.layers.last().map_or(0, |layer| layer.bias.value.dims()[0]);
        let mut pixels = vec![0.0; n_images * n_pixels];
        let mut targets = vec![self.label_smoothing / n_classes as f32; n_images * n_classes];
        let places = pixels
            .chunks_exact_mut(n_pixels)
            .zip(targets.chunks_exact_mut(n_classes));
        for (&row, (image, target)) in rows.iter().zip(places) {
            let label = stretch.scale_into(self.dataset, row, image);
            target[usize::from(label)] += 1.0 - self.label_smoothing;
        }
        let tensor =
            |values, n_columns| Tensor::from_data(TensorData::new(values, [n_images, n_columns]), &self.device);
        (tensor(pixels, n_pixels), tensor(targets, n_classes))
    }
}

impl Engine for BurnEngine<'_> {
    /// The losses are read when all steps are under way, so that a device of its own never waits in between.
    fn train(&mut self, stretch: &Stretch, learning_rates: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
        let rows = stretch.rows();
        let batches = rows.chunks_exact(rows.len() / losses.len());
        let steps = batches.zip(learning_rates);
        let found = steps.map(|(rows, &learning_rate)| self.step(stretch, rows, learning_rate));
        let found = Tensor::cat(found.collect(), 0).try_into_vec_as::<f32>()?;
        losses.copy_from_slice(&found);
        Ok(())
    }

    fn network(&mut self) -> anyhow::Result<Network> {
        Ok(Network::new(self.read(|weights| &weights.value, |bias| &bias.value)?)?)
    }

    fn state(&mut self) -> anyhow::Result<TrainingState> {
        Ok(TrainingState {
            weights: self.read(|weights| &weights.value, |bias| &bias.value)?,
            moment_1: self.read(|weights| &weights.sum_1, |bias| &bias.sum_1)?,
            moment_2: self.read(|weights| &weights.sum_2, |bias| &bias.sum_2)?,
        })
    }

    fn restore(&mut self, state: &TrainingState, n_steps: u32) -> anyhow::Result<()> {
        let TrainingState {
            weights,
            moment_1,
            moment_2,
        } = state;
        let sums = moment_1.iter().zip(moment_2);
        let layers = weights.iter().zip(sums);
        self.layers = layers
            .map(|(layer, (sum_1, sum_2))| {
                let (layer, sum_1, sum_2) = (
                    tensors(layer, &self.device),
                    tensors(sum_1, &self.device),
                    tensors(sum_2, &self.device),
                );
                DenseLayer {
                    weights: Parameter {
                        value: layer.0,
                        sum_1: sum_1.0,
                        sum_2: sum_2.0,
                    },
                    bias: Parameter {
                        value: layer.1,
                        sum_1: sum_1.1,
                        sum_2: sum_2.1,
                    },
                }
            })
            .collect();
        self.adam.restore(n_steps);
        Ok(())
    }
}

/// Weights and bias of a layer, or what is kept beside them, on the device.
fn tensors(layer: &Layer, device: &Device) -> (Tensor<2>, Tensor<1>) {
    let shape = [layer.n_inputs(), layer.n_outputs()];
    let weights = TensorData::new(layer.weights.clone(), shape);
    let bias = TensorData::new(layer.bias.clone(), [layer.n_outputs()]);
    (Tensor::from_data(weights, device), Tensor::from_data(bias, device))
}

impl DenseLayer {
    fn new(layer: &Layer, device: &Device) -> Self {
        let (weights, bias) = tensors(layer, device);
        Self {
            weights: Parameter::new(weights),
            bias: Parameter::new(bias),
        }
    }

    fn tracked(&self) -> (Tensor<2>, Tensor<1>) {
        (self.weights.tracked(), self.bias.tracked())
    }
}

impl Step {
    /// Adam moves a weight by `rate · m₁ / (√m₂ + ε)`, where `mᵢ = (1 − βᵢ) · sumᵢ`.
    fn new(adam: AdamStep) -> Self {
        let root = (1.0 - BETA_2).sqrt();
        Self {
            rate: adam.rate * (1.0 - BETA_1) / root,
            epsilon: adam.epsilon / root,
            kept: adam.kept,
        }
    }

    fn of_bias(self) -> Self {
        Self { kept: 1.0, ..self }
    }
}

impl<const D: usize> Parameter<D> {
    fn new(value: Tensor<D>) -> Self {
        Self {
            sum_1: value.zeros_like(),
            sum_2: value.zeros_like(),
            value,
        }
    }

    /// The value as a leaf whose gradient is kept.
    fn tracked(&self) -> Tensor<D> {
        self.value.clone().autodiff().require_grad()
    }

    /// The parameter after one step. Everything is taken by value and let go as early as possible: burn computes in place
    /// where nobody else holds a tensor.
    fn moved(self, tracked: Tensor<D>, gradients: &mut Gradients, step: Step) -> Self {
        let gradient = tracked
            .grad_remove(gradients)
            .expect("the loss depends on every parameter");
        drop(tracked);
        let sum_1 = self.sum_1 * BETA_1 + gradient.clone();
        let sum_2 = self.sum_2 * BETA_2 + gradient.square();
        let quotient = sum_1.clone() / (sum_2.clone().sqrt() + step.epsilon);
        // Where nothing decays, a pass over memory less, and the same numbers.
        let kept = if step.kept == 1.0 {
            self.value
        } else {
            self.value * step.kept
        };
        Self {
            value: kept - quotient * step.rate,
            sum_1,
            sum_2,
        }
    }
}
