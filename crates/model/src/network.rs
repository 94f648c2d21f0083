//! The network: dense layers with ReLU between them.

use thiserror::Error;

/// Dense layers one behind the other, ReLU between them, logits at the end.
///
/// Invariant: at least one layer; each takes as many values as the one before gives, at least one; every weight and
/// bias is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    layers: Vec<Layer>,
}

/// One dense layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// `[n_inputs, n_outputs]`, row-major.
    pub weights: Vec<f32>,
    /// `[n_outputs]`
    pub bias: Vec<f32>,
}

/// Why some layers are not a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// There is no layer.
    #[error("a network needs at least one layer")]
    Empty,
    /// The number of weights is not a positive multiple of the number of outputs, or not the one that is expected.
    #[error("layer {layer} has {n_weights} weights and {n_outputs} biases, expected {expected}")]
    Shape {
        /// Counted from 0.
        layer: usize,
        /// Values in its weight matrix.
        n_weights: usize,
        /// Values in its bias.
        n_outputs: usize,
        /// What would fit.
        expected: String,
    },
    /// A weight or bias is NaN or infinite.
    #[error("value {index} of `{tensor}` is not a finite number")]
    NotFinite {
        /// Its name in an artifact, such as `layers.0.weight`.
        tensor: String,
        /// Counted from 0, row-major.
        index: usize,
    },
}

impl Network {
    /// Joins `layers`, from input to output.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] where the invariant does not hold.
    pub fn new(layers: Vec<Layer>) -> Result<Self, NetworkError> {
        if layers.is_empty() {
            return Err(NetworkError::Empty);
        }
        let mut n_inputs = None;
        for (index, layer) in layers.iter().enumerate() {
            layer.check(index, n_inputs)?;
            n_inputs = Some(layer.n_outputs());
        }
        Ok(Self { layers })
    }

    /// From input to output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Widths from input to output, such as `[784, 256, 64, 10]`.
    pub fn widths(&self) -> Vec<usize> {
        let outputs = self.layers.iter().map(Layer::n_outputs);
        std::iter::once(self.n_inputs()).chain(outputs).collect()
    }

    /// Weights and biases of all layers.
    pub fn n_parameters(&self) -> usize {
        let layers = self.layers.iter();
        layers.map(|layer| layer.weights.len() + layer.bias.len()).sum()
    }

    /// Pixels of one image.
    pub fn n_inputs(&self) -> usize {
        self.layers[0].n_inputs()
    }

    /// Logits of one image.
    pub fn n_classes(&self) -> usize {
        self.layers[self.layers.len() - 1].n_outputs()
    }
}

impl Layer {
    /// How many values it takes.
    pub fn n_inputs(&self) -> usize {
        self.weights.len().checked_div(self.bias.len()).unwrap_or(0)
    }

    /// How many values it gives.
    pub fn n_outputs(&self) -> usize {
        self.bias.len()
    }

    fn check(&self, layer: usize, n_inputs: Option<usize>) -> Result<(), NetworkError> {
        let n_outputs = self.n_outputs();
        let whole = self.n_inputs() > 0 && self.n_inputs().checked_mul(n_outputs) == Some(self.weights.len());
        if !whole || n_inputs.is_some_and(|n_inputs| n_inputs != self.n_inputs()) {
            let expected = match n_inputs {
                Some(n_inputs) => format!("{n_inputs} weights for each of at least one bias"),
                None => "a whole number of weights for each of at least one bias".to_owned(),
            };
            return Err(NetworkError::Shape {
                layer,
                n_weights: self.weights.len(),
                n_outputs,
                expected,
            });
        }
        check_finite(&weight_name(layer), self.weights.iter().copied())?;
        check_finite(&bias_name(layer), self.bias.iter().copied())
    }
}

/// The name of a layer's weights in an artifact.
pub(crate) fn weight_name(layer: usize) -> String {
    format!("layers.{layer}.weight")
}

/// The name of a layer's bias in an artifact.
pub(crate) fn bias_name(layer: usize) -> String {
    format!("layers.{layer}.bias")
}

/// Refuses NaN and infinities.
pub(crate) fn check_finite(tensor: &str, mut values: impl Iterator<Item = f32>) -> Result<(), NetworkError> {
    match values.position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(NetworkError::NotFinite {
            tensor: tensor.to_owned(),
            index,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(n_inputs: usize, n_outputs: usize) -> Layer {
        Layer {
            weights: vec![0.5; n_inputs * n_outputs],
            bias: vec![0.25; n_outputs],
        }
    }

    #[test]
    fn widths_run_from_input_to_output() {
        let network = Network::new(vec![layer(5, 3), layer(3, 1), layer(1, 2)]).unwrap();
        assert_eq!(network.widths(), [5, 3, 1, 2]);
        assert_eq!((network.n_inputs(), network.n_classes()), (5, 2));
        assert_eq!(network.n_parameters(), 15 + 3 + 3 + 1 + 2 + 2);
    }

    #[test]
    fn layers_that_do_not_fit_are_no_network() {
        let mut ragged = layer(5, 3);
        ragged.weights.pop();
        for layers in [
            vec![],
            vec![layer(0, 3)],
            vec![layer(3, 0)],
            vec![ragged],
            vec![layer(5, 3), layer(4, 2)],
        ] {
            assert!(Network::new(layers.clone()).is_err(), "{layers:?}");
        }
    }

    #[test]
    fn a_value_that_is_no_number_is_named() {
        let mut broken = layer(2, 2);
        broken.bias[1] = f32::NAN;
        let error = Network::new(vec![layer(3, 2), broken]).unwrap_err();
        assert_eq!(error.to_string(), "value 1 of `layers.1.bias` is not a finite number");
    }
}
