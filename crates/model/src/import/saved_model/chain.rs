//! The chain of dense layers: what the outputs of a signature are computed from, back to its input.

use std::collections::BTreeMap;

use formats::signature::Quantity;

use super::{
    SavedModelError,
    graph::{Graph, Tensor},
    variables::Variables,
};
use crate::{
    Layer, Network,
    artifact::LAYERS_MAX,
    tensorflow::{bundle::Bundle, messages::TensorInfo},
};

/// What may stand between the input and the first layer, because it moves no number: each image must come out flat anyhow,
/// or the product with the weights would not be defined.
const FLATTENING: [&str; 3] = ["Reshape", "ExpandDims", "Squeeze"];

/// Most steps from the logits to an output: the largest, its column, its text, and some to spare.
const NESTING_MAX: usize = 8;

/// Dense layers as places in a graph.
pub(super) struct Chain<'a> {
    /// From input to output.
    layers: Vec<Dense<'a>>,
    /// What lists all classes.
    ranges: Vec<Tensor<'a>>,
    /// What each output holds.
    pub(super) outputs: Vec<(&'a String, Quantity)>,
}

/// A dense layer as places in a graph.
struct Dense<'a> {
    kernel: Tensor<'a>,
    /// Absent in a layer that adds none.
    bias: Option<Tensor<'a>>,
}

impl<'a> Chain<'a> {
    /// Follows all outputs to the input.
    pub(super) fn follow(
        graph: &mut Graph<'a>,
        input: &'a TensorInfo,
        outputs: &'a BTreeMap<String, TensorInfo>,
    ) -> Result<Self, SavedModelError> {
        let (mut held, mut ranges) = (Vec::new(), Vec::new());
        let mut logits: Option<Tensor<'a>> = None;
        for (name, info) in outputs {
            let tensor = graph.tensor(&info.name)?;
            let (quantity, of) = quantity(graph, tensor, NESTING_MAX)?;
            held.push((name, quantity));
            match (quantity, logits) {
                (Quantity::AllClassIds | Quantity::AllClasses, _) => ranges.push(of),
                (_, Some(logits)) if logits.key() != of.key() => {
                    return Err(of.unsupported("one last layer for all outputs"));
                }
                _ => logits = Some(of),
            }
        }
        let logits = logits.ok_or(SavedModelError::NoSignature)?;
        let input = graph.tensor(&input.name)?;
        Ok(Self {
            layers: layers(graph, logits, input)?,
            ranges,
            outputs: held,
        })
    }

    /// The layers with their weights.
    pub(super) fn network(&self, graph: &mut Graph<'a>, bundle: &Bundle<'_>) -> Result<Network, SavedModelError> {
        let variables = Variables::of(graph)?;
        let mut layers = Vec::new();
        // Layers may share what is kept once, and so be larger together than all that was sent.
        let mut left = bundle.n_values();
        for dense in &self.layers {
            let (shape, weights) = bundle.floats(variables.key(graph, dense.kernel)?)?;
            let n_outputs = match shape.as_slice() {
                [_, n_outputs] if !weights.is_empty() => usize::try_from(*n_outputs).unwrap_or_default(),
                _ => return Err(dense.kernel.unsupported("weights in rows and columns")),
            };
            let bias = match dense.bias {
                Some(bias) => bundle.floats(variables.key(graph, bias)?)?.1,
                None => vec![0.0; n_outputs],
            };
            if bias.len() != n_outputs {
                return Err(dense.kernel.unsupported("as many columns as the bias has numbers"));
            }
            left = (left.checked_sub(weights.len() + bias.len())).ok_or(SavedModelError::TooLarge)?;
            layers.push(Layer { weights, bias });
        }
        let network = Network::new(layers)?;
        for &range in &self.ranges {
            let limit = graph.input_through(range, 1)?.whole();
            if limit != i64::try_from(network.n_classes()).ok() {
                return Err(range.unsupported("as many classes as there are logits"));
            }
        }
        Ok(network)
    }
}

/// What a tensor holds, and the logits that it holds it of, or for all classes the range that lists them. It may be made
/// from them in `left` steps.
fn quantity<'a>(
    graph: &mut Graph<'a>,
    tensor: Tensor<'a>,
    left: usize,
) -> Result<(Quantity, Tensor<'a>), SavedModelError> {
    let tensor = graph.through(tensor)?;
    let inner = |graph: &mut Graph<'a>| {
        let input = graph.input(tensor, 0)?;
        let left = left.checked_sub(1).ok_or(SavedModelError::TooLarge)?;
        quantity(graph, input, left)
    };
    match tensor.operation() {
        "Softmax" => Ok((Quantity::Probabilities, graph.input_through(tensor, 0)?)),
        "ArgMax" => {
            let axis = graph.input_through(tensor, 1)?.whole();
            if !matches!(axis, Some(-1 | 1)) {
                return Err(tensor.unsupported("the largest of each row"));
            }
            match inner(graph)? {
                // The largest probability is that of the largest logit.
                (Quantity::Logits | Quantity::Probabilities, logits) => Ok((Quantity::ClassIds, logits)),
                _ => Err(tensor.unsupported("the largest of the logits")),
            }
        }
        "ExpandDims" => match inner(graph)? {
            (Quantity::Logits | Quantity::Probabilities, _) => Err(tensor.unsupported("classes with a column")),
            held => Ok(held),
        },
        "AsString" => match inner(graph)? {
            (Quantity::ClassIds, logits) => Ok((Quantity::Classes, logits)),
            (Quantity::AllClassIds, range) => Ok((Quantity::AllClasses, range)),
            _ => Err(tensor.unsupported("class ids as text")),
        },
        // An Estimator writes every class for every image: a range, as text or not, as often as there are images.
        "Tile" => match inner(graph)? {
            held @ (Quantity::AllClassIds | Quantity::AllClasses, _) => Ok(held),
            _ => Err(tensor.unsupported("all classes for each image")),
        },
        "Range" => {
            let (start, step) = (
                graph.input_through(tensor, 0)?.whole(),
                graph.input_through(tensor, 2)?.whole(),
            );
            match (start, step) {
                (Some(0), Some(1)) => Ok((Quantity::AllClassIds, tensor)),
                _ => Err(tensor.unsupported("all classes in order")),
            }
        }
        "BiasAdd" | "Add" | "AddV2" | "MatMul" => Ok((Quantity::Logits, tensor)),
        _ => Err(tensor.unsupported("logits, their softmax, or the class of the largest")),
    }
}

/// The dense layers from `logits` back to `input`, in the order from input to output.
fn layers<'a>(graph: &mut Graph<'a>, logits: Tensor<'a>, input: Tensor<'a>) -> Result<Vec<Dense<'a>>, SavedModelError> {
    let mut layers = Vec::new();
    let mut sums = logits;
    loop {
        let (product, bias) = match sums.operation() {
            "BiasAdd" | "Add" | "AddV2" => (graph.input_through(sums, 0)?, Some(graph.input_through(sums, 1)?)),
            _ => (sums, None),
        };
        if product.operation() != "MatMul" {
            return Err(product.unsupported("a dense layer: `MatMul`, with or without `BiasAdd`"));
        }
        if product.is_set("transpose_a") || product.is_set("transpose_b") {
            return Err(product.unsupported("a product of matrices as they are"));
        }
        let kernel = graph.input_through(product, 1)?;
        layers.push(Dense { kernel, bias });
        if layers.len() > LAYERS_MAX {
            return Err(SavedModelError::TooLarge);
        }
        let below = graph.input_through(product, 0)?;
        if below.operation() == "Relu" {
            sums = graph.input_through(below, 0)?;
            continue;
        }
        let mut start = below;
        while FLATTENING.contains(&start.operation()) {
            start = graph.input_through(start, 0)?;
        }
        if start.key() != input.key() {
            return Err(start.unsupported("`Relu` between dense layers, and the input before the first"));
        }
        layers.reverse();
        return Ok(layers);
    }
}
