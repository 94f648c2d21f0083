//! The engine on burn tensors: gradients by automatic differentiation, on whatever device burn has.

use burn::tensor::{
    Device, Gradients, Tensor, TensorData, activation::relu, loss::cross_entropy_with_logits, module::linear,
};
use mnist_data::Dataset;
use model::{Layer, Network};

use super::Engine;
use crate::adam::{Adam, BETA_1, BETA_2, EPSILON};

/// Dense layers with ReLU between them, softmax cross-entropy, Adam.
pub(crate) struct BurnEngine<'a> {
    device: Device,
    dataset: &'a Dataset,
    layers: Vec<DenseLayer>,
    adam: Adam,
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
}

impl<'a> BurnEngine<'a> {
    pub(crate) fn new(device: Device, dataset: &'a Dataset, initial: &Network) -> Self {
        let layers = initial.layers().iter().map(|layer| DenseLayer::new(layer, &device));
        Self {
            layers: layers.collect(),
            device,
            dataset,
            adam: Adam::default(),
        }
    }

    /// Takes a step and returns the loss of its batch, which is still to be read from the device.
    fn step(&mut self, rows: &[u32], learning_rate: f32) -> Tensor<1> {
        let tracked: Vec<_> = self.layers.iter().map(DenseLayer::tracked).collect();
        let loss = self.loss(&tracked, rows);
        let mut gradients = loss.backward();
        let step = Step::new(self.adam.next_rate(learning_rate));
        let layers = std::mem::take(&mut self.layers).into_iter().zip(tracked);
        self.layers = layers
            .map(|(layer, (weights, bias))| DenseLayer {
                weights: layer.weights.moved(weights, &mut gradients, step),
                bias: layer.bias.moved(bias, &mut gradients, step),
            })
            .collect();
        loss.inner()
    }

    /// Mean softmax cross-entropy of a batch, with the tracked `layers`.
    fn loss(&self, layers: &[(Tensor<2>, Tensor<1>)], rows: &[u32]) -> Tensor<1> {
        let mut values = self.images(rows);
        for (index, (weights, bias)) in layers.iter().enumerate() {
            if index > 0 {
                values = relu(values);
            }
            values = linear(values, weights.clone(), Some(bias.clone()));
        }
        let [_, n_classes] = values.dims();
        cross_entropy_with_logits(values, self.targets(rows, n_classes))
    }

    /// The images of a batch, one a row. The tensor takes over the memory that they are written to.
    fn images(&self, rows: &[u32]) -> Tensor<2> {
        let n_pixels = self.dataset.n_pixels();
        let mut pixels = vec![0.0; rows.len() * n_pixels];
        for (image, &row) in pixels.chunks_exact_mut(n_pixels).zip(rows) {
            self.dataset.scale_into(row as usize, image);
        }
        Tensor::from_data(TensorData::new(pixels, [rows.len(), n_pixels]), &self.device)
    }

    /// One row for each image of a batch, 1 in the column of its class.
    fn targets(&self, rows: &[u32], n_classes: usize) -> Tensor<2> {
        let mut targets = vec![0.0_f32; rows.len() * n_classes];
        for (target, &row) in targets.chunks_exact_mut(n_classes).zip(rows) {
            target[usize::from(self.dataset.labels()[row as usize])] = 1.0;
        }
        Tensor::from_data(TensorData::new(targets, [rows.len(), n_classes]), &self.device)
    }
}

impl Engine for BurnEngine<'_> {
    /// The losses are read when all steps are under way, so that a device of its own never waits in between.
    fn train(&mut self, rows: &[u32], learning_rates: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
        let batches = rows.chunks_exact(rows.len() / losses.len());
        let steps = batches.zip(learning_rates);
        let found = steps.map(|(rows, &learning_rate)| self.step(rows, learning_rate));
        let found = Tensor::cat(found.collect(), 0).try_into_vec_as::<f32>()?;
        losses.copy_from_slice(&found);
        Ok(())
    }

    fn network(&mut self) -> anyhow::Result<Network> {
        let layers = self.layers.iter().map(|layer| {
            Ok(Layer {
                weights: layer.weights.value.try_to_vec_as()?,
                bias: layer.bias.value.try_to_vec_as()?,
            })
        });
        Ok(Network::new(layers.collect::<anyhow::Result<_>>()?)?)
    }
}

impl DenseLayer {
    fn new(layer: &Layer, device: &Device) -> Self {
        let shape = [layer.n_inputs(), layer.n_outputs()];
        let weights = TensorData::new(layer.weights.clone(), shape);
        let bias = TensorData::new(layer.bias.clone(), [layer.n_outputs()]);
        Self {
            weights: Parameter::new(Tensor::from_data(weights, device)),
            bias: Parameter::new(Tensor::from_data(bias, device)),
        }
    }

    fn tracked(&self) -> (Tensor<2>, Tensor<1>) {
        (self.weights.tracked(), self.bias.tracked())
    }
}

impl Step {
    /// Adam moves a weight by `rate · m₁ / (√m₂ + ε)`, where `mᵢ = (1 − βᵢ) · sumᵢ`.
    fn new(rate: f32) -> Self {
        let root = (1.0 - BETA_2).sqrt();
        Self {
            rate: rate * (1.0 - BETA_1) / root,
            epsilon: EPSILON / root,
        }
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
        Self {
            value: self.value - quotient * step.rate,
            sum_1,
            sum_2,
        }
    }
}
