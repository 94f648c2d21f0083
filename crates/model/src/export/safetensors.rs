//! Plain weights for PyTorch, and for everything else that reads safetensors.

use std::collections::BTreeMap;

use formats::digest::Digest;
use serde_json::{Value, json};

use super::{ORIGIN_KEY, little_endian, origin};
use crate::{
    Artifact, Layer,
    network::{bias_name, weight_name},
};

/// The header is filled up with spaces to a multiple of this, so that the numbers behind it are aligned.
const ALIGNMENT: usize = 8;

/// The weights as PyTorch keeps them in the state dictionary of `nn.Linear` layers that are called `layers.0` and so
/// on: outputs × inputs, unlike in an artifact. The metadata says `format: pt`, as PyTorch's own files do.
///
/// The same artifact gives the same bytes. The library's writer takes the metadata as a hash map and would put its keys
/// in another order in every run; so the header, which is one JSON object behind its length, is written here.
pub fn safetensors(artifact: &Artifact, digest: &Digest) -> Vec<u8> {
    let mut header = BTreeMap::from([(
        "__metadata__".to_owned(),
        json!({"format": "pt", ORIGIN_KEY: origin(artifact, digest)}),
    )]);
    let mut data = Vec::new();
    for (index, layer) in artifact.network().layers().iter().enumerate() {
        let shape = [layer.n_outputs(), layer.n_inputs()];
        header.insert(weight_name(index), append(&mut data, &shape, &turned(layer)));
        header.insert(bias_name(index), append(&mut data, &shape[..1], &layer.bias));
    }
    let mut header = serde_json::to_vec(&header).expect("a JSON value has a JSON form");
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_slice(), &data].concat()
}

/// Appends a tensor, and returns what the header says of it.
fn append(data: &mut Vec<u8>, shape: &[usize], values: &[f32]) -> Value {
    let start = data.len();
    data.extend(little_endian(values));
    json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]})
}

/// The weights of a layer as `[n_outputs, n_inputs]`.
fn turned(layer: &Layer) -> Vec<f32> {
    let n_outputs = layer.n_outputs();
    let column = |output: usize| layer.weights.iter().skip(output).step_by(n_outputs).copied();
    (0..n_outputs).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use safetensors::{Dtype, SafeTensors};

    use super::*;
    use crate::{artifact::tests::artifact, export::tests::DIGEST};

    #[test]
    fn the_library_reads_it_and_finds_outputs_by_inputs() {
        let artifact = artifact();
        let bytes = safetensors(&artifact, &DIGEST.parse().unwrap());
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");

        let read = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(read.len(), 6);
        let weights = read.tensor("layers.0.weight").unwrap();
        assert_eq!((weights.dtype(), weights.shape()), (Dtype::F32, [3, 4].as_slice()));
        let number = |output: usize, input: usize| {
            let (numbers, _) = weights.data().as_chunks::<4>();
            f32::from_le_bytes(numbers[output * 4 + input])
        };
        for (input, row) in artifact.network().layers()[0].weights.chunks(3).enumerate() {
            for (output, &weight) in row.iter().enumerate() {
                assert_eq!(number(output, input), weight, "output {output}, input {input}");
            }
        }
        assert_eq!(read.tensor("layers.2.bias").unwrap().shape(), [2]);
    }

    #[test]
    fn it_is_no_artifact() {
        let bytes = safetensors(&artifact(), &DIGEST.parse().unwrap());
        let error = Artifact::read(&bytes).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it has no `slipway` entry in its metadata, so `trainer` did not write it"
        );
    }
}
