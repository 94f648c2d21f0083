//! The training step by its definition: double precision, loops, no tensor library.

use mnist_data::Batch;
use model::Network;

pub(super) struct Reference {
    layers: Vec<Layer>,
    learning_rate: f64,
    steps: i32,
}

/// A dense layer; the last row of its matrix is the bias.
struct Layer {
    n_outputs: usize,
    weights: Vec<f64>, // [n_inputs + 1, n_outputs]
    moments: Vec<(f64, f64)>,
}

impl Reference {
    pub(super) fn new(network: &Network, learning_rate: f64) -> Self {
        let layers = network.layers().iter().map(|layer| {
            let weights: Vec<f64> = layer
                .weights
                .iter()
                .chain(&layer.bias)
                .map(|&value| value.into())
                .collect();
            Layer {
                n_outputs: layer.n_outputs(),
                moments: vec![(0.0, 0.0); weights.len()],
                weights,
            }
        });
        Self {
            layers: layers.collect(),
            learning_rate,
            steps: 0,
        }
    }

    pub(super) fn step(&mut self, batch: &Batch) -> f64 {
        let mut gradients: Vec<Vec<f64>> = self.layers.iter().map(|layer| vec![0.0; layer.weights.len()]).collect();
        let n_images = batch.labels.len() as f64;
        let mut loss = 0.0;
        for (image, &label) in batch.images.rows().into_iter().zip(&batch.labels) {
            let image = image.iter().map(|&pixel| f64::from(pixel)).collect();
            loss += self.backpropagate(image, label.into(), &mut gradients) / n_images;
        }
        self.steps += 1;
        for (layer, gradients) in self.layers.iter_mut().zip(gradients) {
            let sums = layer.weights.iter_mut().zip(&mut layer.moments).zip(gradients);
            for ((weight, (mean, square)), sum) in sums {
                let gradient = sum / n_images;
                *mean = 0.9 * *mean + 0.1 * gradient;
                *square = 0.999 * *square + 0.001 * gradient * gradient;
                let rate =
                    self.learning_rate * (1.0 - 0.999_f64.powi(self.steps)).sqrt() / (1.0 - 0.9_f64.powi(self.steps));
                *weight -= rate * *mean / (square.sqrt() + 1e-8);
            }
        }
        loss
    }

    /// Adds the gradients of one image and returns its loss.
    fn backpropagate(&self, image: Vec<f64>, label: usize, gradients: &mut [Vec<f64>]) -> f64 {
        let mut inputs = vec![image]; // of every layer
        for (index, layer) in self.layers.iter().enumerate() {
            let mut values = inputs[index].clone();
            values.push(1.0);
            let outputs = (0..layer.n_outputs).map(|output| {
                let products = values.iter().enumerate();
                products
                    .map(|(input, value)| value * layer.weights[input * layer.n_outputs + output])
                    .sum::<f64>()
            });
            let is_last = index + 1 == self.layers.len();
            inputs.push(outputs.map(|sum| if is_last { sum } else { sum.max(0.0) }).collect());
        }
        let logits = inputs.pop().unwrap();
        let normalizer: f64 = logits.iter().map(|logit| logit.exp()).sum();
        let mut errors: Vec<f64> = logits.iter().map(|logit| logit.exp() / normalizer).collect();
        let loss = -errors[label].ln();
        errors[label] -= 1.0;
        for ((layer, gradients), inputs) in self.layers.iter().zip(gradients).zip(inputs).rev() {
            for (output, error) in errors.iter().enumerate() {
                for (input, value) in inputs.iter().chain(&[1.0]).enumerate() {
                    gradients[input * layer.n_outputs + output] += value * error;
                }
            }
            let back = inputs.iter().enumerate().map(|(input, &value)| {
                let row = &layer.weights[input * layer.n_outputs..][..layer.n_outputs];
                let sum: f64 = row.iter().zip(&errors).map(|(weight, error)| weight * error).sum();
                if value > 0.0 { sum } else { 0.0 }
            });
            errors = back.collect();
        }
        loss
    }

    pub(super) fn largest_difference(&self, network: &Network) -> f64 {
        let layers = self.layers.iter().zip(network.layers());
        let differences = layers.flat_map(|(expected, found)| {
            let found = found.weights.iter().chain(&found.bias);
            let pairs = expected.weights.iter().zip(found);
            pairs
                .map(|(expected, &found)| (expected - f64::from(found)).abs())
                .collect::<Vec<_>>()
        });
        differences.fold(0.0, f64::max)
    }
}
