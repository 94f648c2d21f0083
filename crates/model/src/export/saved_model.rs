//! A TensorFlow SavedModel folder like the one that the original's Estimator left: one meta graph for serving, one
//! signature with the same field names, the weights as variables under the Estimator's names.
//!
//! It is the form that TensorFlow 1 writes, which TensorFlow 2 and TensorFlow Serving load as well: a graph, a saver
//! that fills the variables from the bundle beside it, and collections that name the variables.

mod graph;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeMap;

use formats::{
    digest::Digest,
    signature::{Dimension, ElementType, Field, Signature},
};
use prost::Message;

use self::{graph::SavedGraph, variables::Variable};
use super::{ExportedFile, length, little_endian, origin};
use crate::{
    Artifact,
    tensorflow::{
        bundle,
        messages::{
            BytesList, CollectionDef, DataType, GraphDef, MetaGraphDef, MetaInfoDef, SavedModel, SignatureDef,
            TensorInfo, TensorShapeProto, VersionDef,
        },
    },
};

/// `kSavedModelSchemaVersion` of TensorFlow's `cc/saved_model/constants.h`, the only one there has been.
const SCHEMA_VERSION: i64 = 1;
/// The version whose operations the graph is written with, and the number that it gives to its graphs: producer and
/// oldest consumer, `TF_GRAPH_DEF_VERSION` and `TF_GRAPH_DEF_VERSION_MIN_CONSUMER` of `core/public/version.h`.
const TENSORFLOW_VERSION: &str = "2.15.1";
const GRAPH_VERSION: i32 = 1645;
const GRAPH_CONSUMER_MIN: i32 = 12;
/// `kSavedModelTagServe`
const SERVE: &str = "serve";
/// `kPredictMethodName`
const PREDICT: &str = "tensorflow/serving/predict";

/// The network as the files of a SavedModel folder, whose signature has the fields of the original. The same artifact
/// gives the same bytes.
///
/// Where it comes from lies in `assets.extra`, the place for files that TensorFlow leaves alone.
pub fn saved_model(artifact: &Artifact, digest: &Digest) -> Vec<ExportedFile> {
    let signature = &super::signature(artifact);
    let variables = variables::of(artifact);
    let graph = SavedGraph::new(&variables, &signature.inputs[0]);
    let saved_model = SavedModel {
        saved_model_schema_version: SCHEMA_VERSION,
        meta_graphs: vec![MetaGraphDef {
            meta_info_def: Some(MetaInfoDef {
                tags: vec![SERVE.to_owned()],
                tensorflow_version: TENSORFLOW_VERSION.to_owned(),
                stripped_default_attrs: true,
            }),
            saver_def: Some(graph.saver_def()),
            signature_def: BTreeMap::from([(signature.name.to_string(), signature_def(signature, &graph))]),
            graph_def: Some(GraphDef {
                node: graph.into_nodes(),
                library: None,
                versions: Some(VersionDef {
                    producer: GRAPH_VERSION,
                    min_consumer: GRAPH_CONSUMER_MIN,
                }),
            }),
            collection_def: collections(&variables),
        }],
    };
    let tensors = variables
        .iter()
        .map(|variable| (variable.name.as_str(), &variable.value));
    let bundle = bundle::encode(&tensors.collect());
    let file = |path, bytes| ExportedFile { path, bytes };
    vec![
        file("saved_model.pb", saved_model.encode_to_vec()),
        file("variables/variables.index", bundle.index),
        file("variables/variables.data-00000-of-00001", bundle.data),
        file(
            "assets.extra/slipway.json",
            (origin(artifact, digest) + "\n").into_bytes(),
        ),
    ]
}

/// Which tensor of the graph is which field.
fn signature_def(signature: &Signature, graph: &SavedGraph) -> SignatureDef {
    let infos = |fields: &[Field]| {
        let infos = fields.iter().map(|field| {
            let info = TensorInfo {
                name: graph.tensor_of(field),
                dtype: data_type(field.element).into(),
                tensor_shape: Some(shape(field)),
            };
            (field.name.clone(), info)
        });
        infos.collect()
    };
    SignatureDef {
        inputs: infos(&signature.inputs),
        outputs: infos(&signature.outputs),
        method_name: PREDICT.to_owned(),
    }
}

fn data_type(element: ElementType) -> DataType {
    match element {
        ElementType::Float32 => DataType::Float,
        ElementType::Int64 => DataType::Int64,
        ElementType::String => DataType::String,
    }
}

fn shape(field: &Field) -> TensorShapeProto {
    let dimensions: Vec<i64> = field.shape.iter().copied().map(Dimension::into).collect();
    TensorShapeProto::of(&dimensions)
}

/// The lists by which TensorFlow finds the variables of a graph that it has read.
fn collections(variables: &[Variable]) -> BTreeMap<String, CollectionDef> {
    let collection = |belongs: &dyn Fn(&Variable) -> bool| CollectionDef {
        bytes_list: Some(BytesList {
            value: variables
                .iter()
                .filter(|variable| belongs(variable))
                .map(|variable| variable.definition().encode_to_vec())
                .collect(),
        }),
    };
    BTreeMap::from([
        ("variables".to_owned(), collection(&|_| true)),
        (
            "trainable_variables".to_owned(),
            collection(&|variable| variable.is_trainable),
        ),
        ("global_step".to_owned(), collection(&|variable| !variable.is_trainable)),
    ])
}
