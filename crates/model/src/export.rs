//! A trained network in the formats of others.
//!
//! Each format says where it comes from: the digest of the artifact and its training summary, as one JSON text.
//! Numbers are never changed: the weights of every export are those of the artifact, bit for bit.

mod onnx;
mod safetensors;
mod saved_model;
#[cfg(test)]
mod tests;

use formats::{artifact::TrainingSummary, digest::Digest};
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
