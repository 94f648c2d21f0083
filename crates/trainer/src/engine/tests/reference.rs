//! The training step by its definition: double precision, loops, no tensor library.

use model::Network;

use crate::settings::TrainingSettings;

pub(super) struct Reference {
    layers: Vec<Layer>,
    learning_rate: f64,
    weight_decay: f64,
    epsilon: f64,
    label_smoothing: f64,
    steps: i32,
}

/// A dense layer; the last row of its matrix is the bias.
struct Layer {
    n_outputs: usize,
    weights: Vec<f64>, // [n_inputs + 1, n_outputs]
    moments: Vec<(f64, f64)>,
}

impl Reference {
    pub(super) fn new(network: &Network, settings: &TrainingSettings) -> Self {
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
            learning_rate: settings.learning_rate,
            weight_decay: settings.weight_decay,
            epsilon: settings.epsilon,
            label_smoothing: settings.label_smoothing,
            steps: 0,
        }
    }

    /// Takes a step on `images` (`[n_images, n_pixels]`) and returns its loss.
    pub(super) fn step(&mut self, images: &[f32], labels: &[u8]) -> f64 {
        let mut gradients: Vec<Vec<f64>> = self.layers.iter().map(|layer| vec![0.0; layer.weights.len()]).collect();
        let n_images = labels.len() as f64;
        let mut loss = 0.0;
        for (image, &label) in images.chunks_exact(images.len() / labels.len()).zip(labels) {
            let image = image.iter().map(|&pixel| f64::from(pixel)).collect();
            loss += self.backpropagate(image, label.into(), &mut gradients) / n_images;
        }
        self.steps += 1;
        for (layer, gradients) in self.layers.iter_mut().zip(gradients) {
            let n_weights = layer.weights.len() - layer.n_outputs;
            let sums = layer.weights.iter_mut().zip(&mut layer.moments).zip(gradients);
            for (index, ((weight, (mean, square)), sum)) in sums.enumerate() {
                let gradient = sum / n_images;
                *mean = 0.9 * *mean + 0.1 * gradient;
                *square = 0.999 * *square + 0.001 * gradient * gradient;
                let rate =
                    self.learning_rate * (1.0 - 0.999_f64.powi(self.steps)).sqrt() / (1.0 - 0.9_f64.powi(self.steps));
                // Only weights decay, and a bias does not.
                if index < n_weights {
                    *weight -= self.learning_rate * self.weight_decay * *weight;
                }
                *weight -= rate * *mean / (square.sqrt() + self.epsilon);
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
        let shared = self.label_smoothing / logits.len() as f64;
        let mut loss = 0.0;
        for (class, error) in errors.iter_mut().enumerate() {
            let wanted = if class == label {
                1.0 - self.label_smoothing + shared
            } else {
                shared
            };
            loss -= wanted * error.ln();
            *error -= wanted;
        }
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
