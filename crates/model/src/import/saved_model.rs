//! SavedModels of TensorFlow 1 and 2 that are a chain of dense layers: the graph is followed from the outputs of a
//! signature back to its input, and whatever is met on the way must be part of such a chain.

mod chain;
mod graph;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use formats::{
    artifact::TrainingSummary,
    name::SignatureName,
    profile::{DataProfile, HISTOGRAM_BINS, MEAN_IMAGE_SIDE},
    report::Accuracy,
    signature::{Dimension, ElementType, Field, Quantity, Signature},
};
use prost::{DecodeError, Message};
use thiserror::Error;

use self::{chain::Chain, graph::Graph};
use super::{Imported, SAVED_MODEL};
use crate::{
    Artifact, ArtifactError, NetworkError,
    tensorflow::{
        bundle::{Bundle, BundleError},
        messages::{DataType, MetaGraphDef, SavedModel, SignatureDef, TensorInfo},
    },
};

/// The tag of graphs that are meant for serving.
const SERVE: &str = "serve";
/// Where the variables are.
const VARIABLES: &str = "variables/variables";
/// The variable with the steps of a training.
const GLOBAL_STEP: &str = "global_step";
/// The signatures that are taken before any other: the original's, and the one that Keras writes.
const PREFERRED: [&str; 2] = ["predict", "serving_default"];

/// Longest graph, in bytes: those of dense layers have a hundred thousand. What a message of a few bytes becomes in memory
/// is many times as long.
const GRAPH_MAX_BYTES: usize = 4 << 20;

/// Why a SavedModel is not taken in.
#[derive(Debug, Error)]
pub enum SavedModelError {
    /// The file is no such message.
    #[error("`{SAVED_MODEL}` is damaged")]
    Message(#[from] DecodeError),
    /// The file is longer than any that could be taken in.
    #[error("`{SAVED_MODEL}` has {n_bytes} bytes, expected at most {GRAPH_MAX_BYTES}")]
    TooLong {
        /// Its length.
        n_bytes: usize,
    },
    /// There is no graph.
    #[error("`{SAVED_MODEL}` has no graph")]
    NoGraph,
    /// There is no signature to serve.
    #[error("it has no signature with inputs and outputs")]
    NoSignature,
    /// The signature is not that of a classifier.
    #[error("signature `{signature}`: {problem}")]
    Signature {
        /// Its name.
        signature: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Something in the graph is not part of a chain of dense layers.
    #[error("operation `{operation}` (`{node}`) is not supported: expected {expected}")]
    Operation {
        /// Such as `Conv2D`.
        operation: String,
        /// The name of the node in the graph.
        node: String,
        /// What could be there.
        expected: &'static str,
    },
    /// The graph names something that it does not have.
    #[error("the graph has no `{0}`")]
    Dangling(String),
    /// The graph leads too far.
    #[error("the graph is too deep or too large to be followed")]
    TooLarge,
    /// A variable cannot be read.
    #[error("the variables cannot be read")]
    Bundle(#[from] BundleError),
    /// The weights are not those of a network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The parts do not make an artifact.
    #[error("network and signature do not fit")]
    Artifact(#[from] ArtifactError),
}

/// Reads a SavedModel folder, given as its files by path.
pub(super) fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Imported, SavedModelError> {
    let bytes = files.get(SAVED_MODEL).map_or(&[][..], Vec::as_slice);
    if bytes.len() > GRAPH_MAX_BYTES {
        return Err(SavedModelError::TooLong { n_bytes: bytes.len() });
    }
    let saved_model = SavedModel::decode(bytes)?;
    let tagged = |meta: &&MetaGraphDef| {
        meta.meta_info_def
            .iter()
            .any(|info| info.tags.iter().any(|tag| tag == SERVE))
    };
    let meta = saved_model.meta_graphs.iter().find(tagged);
    let meta = meta
        .or(saved_model.meta_graphs.first())
        .ok_or(SavedModelError::NoGraph)?;
    let bundle = Bundle::open(VARIABLES, files)?;
    let (name, definition) = pick_signature(&meta.signature_def)?;
    let mut graph = Graph::new(meta)?;
    let wrong = |problem: String| SavedModelError::Signature {
        signature: name.to_string(),
        problem,
    };
    let [(input_name, input)] = definition.inputs.iter().collect::<Vec<_>>()[..] else {
        return Err(wrong(format!("{} inputs, expected one", definition.inputs.len())));
    };
    let chain = Chain::follow(&mut graph, input, &definition.outputs)?;
    let network = chain.network(&mut graph, &bundle)?;
    let n_classes = u32::try_from(network.n_classes()).map_err(|_| SavedModelError::TooLarge)?;
    let outputs = chain.outputs.iter().map(|(output, quantity)| {
        let info = &definition.outputs[*output];
        output_field(output, *quantity, info, n_classes)
    });
    let signature = Signature {
        name: name.clone(),
        inputs: vec![Field {
            name: input_name.clone(),
            element: ElementType::Float32,
            shape: input_shape(input).map_err(wrong)?,
            quantity: None,
        }],
        outputs: outputs.collect(),
    };
    let version = meta.meta_info_def.as_ref().map_or("", |info| &info.tensorflow_version);
    let training = training(version, bundle.whole(GLOBAL_STEP).unwrap_or_default());
    Ok(Imported {
        artifact: Artifact::new(network, signature, training, profile(n_classes))?,
        model_type: format!("tensorflow:{version}"),
    })
}

/// The signature that is served. TensorFlow keeps others for itself, whose names are none of ours.
fn pick_signature(
    signatures: &BTreeMap<String, SignatureDef>,
) -> Result<(SignatureName, &SignatureDef), SavedModelError> {
    let usable = |name: &str| {
        let definition = signatures.get(name)?;
        let has_fields = !definition.inputs.is_empty() && !definition.outputs.is_empty();
        Some((name.parse::<SignatureName>().ok()?, definition)).filter(|_| has_fields)
    };
    let names: BTreeSet<&str> = signatures.keys().map(String::as_str).collect();
    let mut in_order = PREFERRED.into_iter().chain(names);
    in_order.find_map(usable).ok_or(SavedModelError::NoSignature)
}

fn input_shape(info: &TensorInfo) -> Result<Vec<Dimension>, String> {
    if info.dtype != i32::from(DataType::Float) {
        return Err(format!("an input of type number {}, expected 1 (float)", info.dtype));
    }
    let dim = info.tensor_shape.iter().flat_map(|shape| &shape.dim);
    let sizes: Vec<i64> = dim.map(|dim| dim.size).collect();
    match sizes.split_first() {
        Some((-1, inner)) if !inner.is_empty() && inner.iter().all(|&size| size > 0) => {
            let dimensions = sizes.iter().map(|&size| Dimension::try_from(size));
            dimensions.collect()
        }
        _ => Err(format!("an input of shape {sizes:?}, expected -1 and fixed lengths")),
    }
}

/// An output as the graph has it. What a class is told by may have a column of its own or not.
fn output_field(name: &str, quantity: Quantity, info: &TensorInfo, n_classes: u32) -> Field {
    let n_columns = quantity.n_columns(n_classes);
    let rank = info.tensor_shape.as_ref().map(|shape| shape.dim.len());
    let mut shape = vec![Dimension::Any];
    if rank != Some(1) || n_columns != 1 {
        shape.push(Dimension::Fixed(n_columns));
    }
    Field {
        name: name.to_owned(),
        element: quantity.element(),
        shape,
        quantity: (quantity.name() != name).then_some(quantity),
    }
}

/// What is known of a training that took place elsewhere; nobody measured it here, so it has 0 of 0 right answers.
fn training(version: &str, steps: i64) -> TrainingSummary {
    let nobody = Accuracy { correct: 0, total: 0 };
    TrainingSummary {
        engine: format!("TensorFlow {version}").trim_end().to_owned(),
        steps: steps.try_into().unwrap_or_default(),
        batch_size: 0,
        learning_rate: 0.0,
        schedule: "unknown".to_owned(),
        seed: 0,
        recipe: None,
        final_loss: 0.0,
        clean: nobody,
        noisy: nobody,
    }
}

/// The sketch of no images.
fn profile(n_classes: u32) -> DataProfile {
    DataProfile {
        n_images: 0,
        class_counts: vec![0; n_classes as usize],
        pixel_histogram: vec![0; HISTOGRAM_BINS],
        pixel_mean: 0.0,
        pixel_std: 0.0,
        ink_histogram: vec![0; HISTOGRAM_BINS],
        ink_std: 0.0,
        mean_image: vec![0.0; MEAN_IMAGE_SIDE * MEAN_IMAGE_SIDE],
    }
}
