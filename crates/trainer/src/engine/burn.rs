//! The engine on burn tensors: gradients by automatic differentiation, on whatever device burn has.

use burn::tensor::{Device, Gradients, Tensor, TensorData, activation::relu, loss::cross_entropy_with_logits};
use mnist_data::{Batch, Dataset};
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

/// A tensor that is learnt, with Adam's two means; none of them is tracked by the automatic differentiation.
struct Parameter<const D: usize> {
    value: Tensor<D>,
    moment_1: Tensor<D>,
    moment_2: Tensor<D>,
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

    fn step(&mut self, batch: &Batch, learning_rate: f32) -> anyhow::Result<f32> {
        let tracked: Vec<_> = self.layers.iter().map(DenseLayer::tracked).collect();
        let loss = self.loss(&tracked, batch);
        let mut gradients = loss.backward();
        let rate = self.adam.next_rate(learning_rate);
        let layers = std::mem::take(&mut self.layers).into_iter().zip(tracked);
        self.layers = layers
            .map(|(layer, (weights, bias))| DenseLayer {
                weights: layer.weights.moved(weights, &mut gradients, rate),
                bias: layer.bias.moved(bias, &mut gradients, rate),
            })
            .collect();
        Ok(loss.try_into_scalar()?)
    }

    /// Mean softmax cross-entropy of a batch, with the tracked `layers`.
    fn loss(&self, layers: &[(Tensor<2>, Tensor<1>)], batch: &Batch) -> Tensor<1> {
        let (n_images, n_pixels) = batch.images.dim();
        let pixels = batch.images.as_slice().expect("a batch is in standard layout").to_vec();
        let mut values = Tensor::<2>::from_data(TensorData::new(pixels, [n_images, n_pixels]), &self.device);
        for (index, (weights, bias)) in layers.iter().enumerate() {
            if index > 0 {
                values = relu(values);
            }
            values = values.matmul(weights.clone()) + bias.clone().unsqueeze();
        }
        let [_, n_classes] = values.dims();
        cross_entropy_with_logits(values, self.targets(&batch.labels, n_classes))
    }

    /// One row for each label, 1 in the column of its class.
    fn targets(&self, labels: &[u8], n_classes: usize) -> Tensor<2> {
        let mut rows = vec![0.0_f32; labels.len() * n_classes];
        for (row, &label) in rows.chunks_exact_mut(n_classes).zip(labels) {
            row[usize::from(label)] = 1.0;
        }
        Tensor::from_data(TensorData::new(rows, [labels.len(), n_classes]), &self.device)
    }
}

impl Engine for BurnEngine<'_> {
    fn train(&mut self, rows: &[u32], learning_rates: &[f32], losses: &mut [f32]) -> anyhow::Result<()> {
        let batch_size = rows.len() / losses.len();
        let mut batch = Batch::new(batch_size, self.dataset.n_pixels());
        for ((rows, &learning_rate), loss) in rows.chunks_exact(batch_size).zip(learning_rates).zip(losses) {
            batch.fill(self.dataset, rows);
            *loss = self.step(&batch, learning_rate)?;
        }
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

impl<const D: usize> Parameter<D> {
    fn new(value: Tensor<D>) -> Self {
        Self {
            moment_1: value.zeros_like(),
            moment_2: value.zeros_like(),
            value,
        }
    }

    /// The value as a leaf whose gradient is kept.
    fn tracked(&self) -> Tensor<D> {
        self.value.clone().autodiff().require_grad()
    }

    /// The parameter after one step of Adam. Everything is taken by value, so that burn reuses the memory.
    fn moved(self, tracked: Tensor<D>, gradients: &mut Gradients, rate: f32) -> Self {
        let gradient = tracked
            .grad_remove(gradients)
            .expect("the loss depends on every parameter");
        drop(tracked);
        let moment_1 = self.moment_1 * BETA_1 + gradient.clone() * (1.0 - BETA_1);
        let moment_2 = self.moment_2 * BETA_2 + gradient.square() * (1.0 - BETA_2);
        let quotient = moment_1.clone() / (moment_2.clone().sqrt() + EPSILON);
        Self {
            value: self.value - quotient * rate,
            moment_1,
            moment_2,
        }
    }
}
