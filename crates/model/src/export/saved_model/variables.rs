//! The variables of a SavedModel, under the names that the original's Estimator gave them.

use super::{length, little_endian};
use crate::{
    Artifact,
    tensorflow::{
        bundle::Tensor,
        messages::{DataType, VariableDef},
    },
};

/// A named tensor that the graph reads and the saver restores.
pub(super) struct Variable {
    pub(super) name: String,
    /// The layer's weights and bias are, the number of steps is not.
    pub(super) is_trainable: bool,
    pub(super) value: Tensor,
}

/// Kernel and bias of each layer, from input to output, and the steps that were taken.
pub(super) fn of(artifact: &Artifact) -> Vec<Variable> {
    let layers = artifact.network().layers();
    let mut variables = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let scope = match index {
            index if index + 1 == layers.len() => "dnn/logits".to_owned(),
            index => format!("dnn/hiddenlayer_{index}"),
        };
        let (n_inputs, n_outputs) = (length(layer.n_inputs()), length(layer.n_outputs()));
        let variable = |name: &str, shape, values| Variable {
            name: format!("{scope}/{name}"),
            is_trainable: true,
            value: Tensor {
                dtype: DataType::Float,
                shape,
                bytes: little_endian(values),
            },
        };
        variables.push(variable("kernel", vec![n_inputs, n_outputs], &layer.weights));
        variables.push(variable("bias", vec![n_outputs], &layer.bias));
    }
    variables.push(Variable {
        name: "global_step".to_owned(),
        is_trainable: false,
        value: Tensor {
            dtype: DataType::Int64,
            shape: Vec::new(),
            bytes: i64::from(artifact.header().training.steps).to_le_bytes().to_vec(),
        },
    });
    variables
}

impl Variable {
    /// The node that gives the value to an operation.
    pub(super) fn read(&self) -> String {
        format!("{}/Read/ReadVariableOp", self.name)
    }

    /// The node with the value that it has until it is restored.
    pub(super) fn initial_value(&self) -> String {
        format!("{}/Initializer/zeros", self.name)
    }

    /// The node that sets it to this value.
    pub(super) fn initializer(&self) -> String {
        format!("{}/Assign", self.name)
    }

    /// What a collection says of it.
    pub(super) fn definition(&self) -> VariableDef {
        VariableDef {
            variable_name: format!("{}:0", self.name),
            initializer_name: self.initializer(),
            snapshot_name: format!("{}:0", self.read()),
            is_resource: true,
            initial_value_name: format!("{}:0", self.initial_value()),
            trainable: self.is_trainable,
        }
    }
}
