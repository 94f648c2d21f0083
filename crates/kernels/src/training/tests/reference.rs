//! The same training in `f64`, written for nothing but being plainly right.

use super::super::{NetworkSettings, state::LayerParameters};

pub(crate) struct Reference {
    settings: NetworkSettings,
    layers: Vec<Layer>,
    n_steps: i32,
}

struct Layer {
    n_inputs: usize,
    n_outputs: usize,
    /// Weights `[n_inputs, n_outputs]`, then biases.
    values: Vec<f64>,
    means: Vec<f64>,
    mean_squares: Vec<f64>,
}

impl Layer {
    /// Before ReLU.
    fn sums<'a>(&'a self, below: &'a [f64]) -> impl Iterator<Item = f64> {
        (0..self.n_outputs).map(move |output| {
            let products = (0..self.n_inputs).map(|i| below[i] * self.values[i * self.n_outputs + output]);
            products.sum::<f64>() + self.values[self.n_inputs * self.n_outputs + output]
        })
    }
}

impl Reference {
    pub(crate) fn new(settings: &NetworkSettings, parameters: &[LayerParameters]) -> Self {
        let layers = parameters.iter().map(|LayerParameters { weight, bias }| {
            let values: Vec<f64> = weight.iter().chain(bias).map(|number| f64::from(*number)).collect();
            let zeros = vec![0.0; values.len()];
            let (n_inputs, n_outputs) = (weight.len() / bias.len(), bias.len());
            Layer {
                n_inputs,
                n_outputs,
                values,
                means: zeros.clone(),
                mean_squares: zeros,
            }
        });
        Self {
            settings: settings.clone(),
            layers: layers.collect(),
            n_steps: 0,
        }
    }

    /// Outputs of each layer for one row; the first entry is the row.
    fn outputs(&self, row: &[f32]) -> Vec<Vec<f64>> {
        let mut outputs = vec![row.iter().map(|input| f64::from(*input)).collect::<Vec<_>>()];
        for (index, layer) in self.layers.iter().enumerate() {
            let is_last = index + 1 == self.layers.len();
            let sums = layer.sums(&outputs[index]);
            outputs.push(sums.map(|sum| if is_last { sum } else { sum.max(0.0) }).collect());
        }
        outputs
    }

    /// Whether a hidden unit's sum is so close to zero that rounding decides whether the unit is active, and with it what a
    /// whole row adds to a gradient.
    pub(crate) fn is_undecided(&self, rows: &[f32]) -> bool {
        let hidden = &self.layers[..self.layers.len() - 1];
        rows.chunks(self.layers[0].n_inputs).any(|row| {
            let outputs = self.outputs(row);
            let mut sums = hidden.iter().zip(&outputs).flat_map(|(layer, below)| layer.sums(below));
            sums.any(|sum| sum.abs() < 2e-6)
        })
    }

    pub(crate) fn logits(&self, rows: &[f32]) -> Vec<f64> {
        rows.chunks(self.layers[0].n_inputs)
            .flat_map(|row| self.outputs(row).pop().unwrap())
            .collect()
    }

    pub(crate) fn step(&mut self, rows: &[f32], labels: &[u8], learning_rate: f64) -> f64 {
        let smoothing = f64::from(self.settings.label_smoothing);
        let n_classes = self.layers[self.layers.len() - 1].n_outputs;
        let mut gradients: Vec<Vec<f64>> = self.layers.iter().map(|layer| vec![0.0; layer.values.len()]).collect();
        let mut loss = 0.0;
        for (row, label) in rows.chunks(self.layers[0].n_inputs).zip(labels) {
            let outputs = self.outputs(row);
            let logits = &outputs[self.layers.len()];
            let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logits.iter().map(|logit| (logit - greatest).exp()).sum();
            let mut above = Vec::with_capacity(n_classes);
            for (class, logit) in logits.iter().enumerate() {
                let wanted = smoothing / n_classes as f64
                    + if class == usize::from(*label) {
                        1.0 - smoothing
                    } else {
                        0.0
                    };
                loss -= wanted * (logit - greatest - sum.ln()) / labels.len() as f64;
                above.push(((logit - greatest).exp() / sum - wanted) / labels.len() as f64);
            }
            for (index, layer) in self.layers.iter().enumerate().rev() {
                let below = &outputs[index];
                let mut next = vec![0.0; layer.n_inputs];
                for output in 0..layer.n_outputs {
                    for input in 0..layer.n_inputs {
                        gradients[index][input * layer.n_outputs + output] += below[input] * above[output];
                        if below[input] > 0.0 {
                            next[input] += above[output] * layer.values[input * layer.n_outputs + output];
                        }
                    }
                    gradients[index][layer.n_inputs * layer.n_outputs + output] += above[output];
                }
                above = next;
            }
        }
        self.adam(&gradients, learning_rate);
        loss
    }

    /// As at the end of section 2 of the paper, with the decay of AdamW.
    fn adam(&mut self, gradients: &[Vec<f64>], learning_rate: f64) {
        let adam = self.settings.adam;
        let (beta1, beta2) = (f64::from(adam.beta1), f64::from(adam.beta2));
        self.n_steps += 1;
        let rate = learning_rate * (1.0 - beta2.powi(self.n_steps)).sqrt() / (1.0 - beta1.powi(self.n_steps));
        for (layer, gradients) in self.layers.iter_mut().zip(gradients) {
            let n_weights = layer.n_inputs * layer.n_outputs;
            for (index, gradient) in gradients.iter().enumerate() {
                layer.means[index] = beta1 * layer.means[index] + (1.0 - beta1) * gradient;
                layer.mean_squares[index] = beta2 * layer.mean_squares[index] + (1.0 - beta2) * gradient * gradient;
                let (mean, mean_square) = (layer.means[index], layer.mean_squares[index]);
                let decay = if index < n_weights {
                    f64::from(adam.weight_decay)
                } else {
                    0.0
                };
                layer.values[index] -= learning_rate * decay * layer.values[index];
                layer.values[index] -= rate * mean / (mean_square.sqrt() + f64::from(adam.epsilon));
            }
        }
    }

    pub(crate) fn assert_near(&self, parameters: &[LayerParameters], tolerance: f64) {
        for (index, (layer, LayerParameters { weight, bias })) in self.layers.iter().zip(parameters).enumerate() {
            assert_eq!(layer.values.len(), weight.len() + bias.len());
            for (place, (number, expected)) in weight.iter().chain(bias).zip(&layer.values).enumerate() {
                let difference = (f64::from(*number) - expected).abs();
                assert!(
                    difference < tolerance,
                    "layer {index}, number {place}: {number}, expected {expected}"
                );
            }
        }
    }
}
