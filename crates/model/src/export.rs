//! A trained network in the formats of others.
//!
//! Each format says where it comes from: the digest of the artifact and its training summary, as one JSON text.
//! Numbers are never changed: the weights of every export are those of the artifact, bit for bit.

mod onnx;
mod safetensors;
mod saved_model;
#[cfg(test)]
mod tests;

use formats::{artifact::TrainingSummary, digest::Digest, signature::Signature};
use serde::Serialize;

pub use onnx::onnx;
pub use safetensors::safetensors;
pub use saved_model::saved_model;

use crate::Artifact;

/// The key under which a format keeps where it comes from, unlike that of our own header: an export is no artifact.
pub const ORIGIN_KEY: &str = "slipway.export";

/// One file of an export that is a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its path below the folder, with slashes.
    pub path: &'static str,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Where an export comes from.
#[derive(Serialize)]
struct Origin<'a> {
    /// The digest of the artifact's file.
    artifact: &'a Digest,
    training: &'a TrainingSummary,
}

/// How an export is called: by the names of the original, whatever those of the artifact are. In the formats of others
/// nothing but its name says what an output holds.
fn signature(artifact: &Artifact) -> Signature {
    let header = artifact.header();
    let (n_inputs, n_classes) = (header.layers[0], header.layers[header.layers.len() - 1]);
    let mut signature = Signature::classifier(header.signature.name.clone(), 1, n_inputs, n_classes);
    signature.inputs[0].shape.clone_from(&header.signature.inputs[0].shape);
    signature
}

/// Where an export of `artifact`, whose file has this `digest`, comes from, as JSON.
fn origin(artifact: &Artifact, digest: &Digest) -> String {
    let origin = Origin {
        artifact: digest,
        training: &artifact.header().training,
    };
    serde_json::to_string(&origin).expect("text and numbers have a JSON form")
}

/// A count of values, as the protocol buffers of both formats hold it.
fn length(count: usize) -> i64 {
    i64::try_from(count).expect("what is in memory can be counted")
}

/// The bytes of numbers, little-endian.
fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
