use super::*;
use crate::artifact::tests::artifact;

/// What the artifact's file would have as digest.
pub(super) const DIGEST: &str = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

#[test]
fn every_format_gives_the_same_bytes_again() {
    let (artifact, digest) = (artifact(), DIGEST.parse().unwrap());
    assert_eq!(onnx(&artifact, &digest), onnx(&artifact, &digest));
    assert_eq!(safetensors(&artifact, &digest), safetensors(&artifact, &digest));
    assert_eq!(saved_model(&artifact, &digest), saved_model(&artifact, &digest));
}

#[test]
fn an_export_has_the_names_of_the_original_whatever_those_of_the_artifact_are() {
    let original = artifact();
    let header = original.header();
    let mut renamed = header.signature.clone();
    renamed.inputs[0].name = "flatten_input".to_owned();
    renamed.outputs.truncate(3);
    renamed.outputs.drain(..2);
    renamed.outputs[0].quantity = renamed.outputs[0].holds();
    renamed.outputs[0].name = "dense_1".to_owned();
    let (training, profile) = (header.training.clone(), header.profile.clone());
    let renamed = Artifact::new(original.network().clone(), renamed, training, profile).unwrap();
    let digest = DIGEST.parse().unwrap();
    assert_eq!(onnx(&renamed, &digest), onnx(&original, &digest));
    assert_eq!(saved_model(&renamed, &digest), saved_model(&original, &digest));
}

#[test]
fn an_export_says_where_it_comes_from() {
    let origin = origin(&artifact(), &DIGEST.parse().unwrap());
    let document: serde_json::Value = serde_json::from_str(&origin).unwrap();
    assert_eq!(document["artifact"], DIGEST);
    assert_eq!(document["training"]["clean"]["correct"], 9);
}
