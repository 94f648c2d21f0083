//! The bundle: named tensors in a data file, and an index that says where each of them lies.
//!
//! Source: `tensorflow/core/util/tensor_bundle/tensor_bundle.h`. A bundle `variables` in one part is the two files
//! `variables.index` and `variables.data-00000-of-00001`.

mod read;

use std::collections::BTreeMap;

use prost::Message;

use super::{
    checksum::masked_crc32c,
    messages::{BundleEntryProto, BundleHeaderProto, DataType, TensorShapeProto, VersionDef},
    table,
};

pub(crate) use read::{Bundle, BundleError};

/// The key of the header; it comes before every name.
const HEADER_KEY: &str = "";
/// `kTensorBundleVersion` of TensorFlow's `tensor_bundle.cc`.
const VERSION: i32 = 1;

/// A tensor of a bundle.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) dtype: DataType,
    pub(crate) shape: Vec<i64>,
    /// Row-major, little-endian.
    pub(crate) bytes: Vec<u8>,
}

/// The contents of a bundle's two files.
pub(crate) struct BundleFiles {
    pub(crate) index: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

/// Encodes tensors, which lie in the data file in the order of their names.
pub(crate) fn encode(tensors: &BTreeMap<&str, &Tensor>) -> BundleFiles {
    let header = BundleHeaderProto {
        num_shards: 1,
        version: Some(VersionDef {
            producer: VERSION,
            ..VersionDef::default()
        }),
    };
    let mut index = BTreeMap::from([(HEADER_KEY.to_owned(), header.encode_to_vec())]);
    let mut data = Vec::new();
    for (&name, &tensor) in tensors {
        let length = |bytes: &[u8]| i64::try_from(bytes.len()).expect("what is in memory can be counted");
        let entry = BundleEntryProto {
            dtype: tensor.dtype.into(),
            shape: Some(TensorShapeProto::of(&tensor.shape)),
            offset: length(&data),
            size: length(&tensor.bytes),
            crc32c: masked_crc32c(&tensor.bytes),
            ..BundleEntryProto::default()
        };
        index.insert(name.to_owned(), entry.encode_to_vec());
        data.extend(&tensor.bytes);
    }
    BundleFiles {
        index: table::encode(&index),
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both files were written by TensorFlow 2.15.1, with `tf.raw_ops.SaveV2` and these tensors. There are more than
    /// sixteen, so that the index begins anew with a whole key once.
    #[test]
    fn the_files_are_those_that_tensorflow_writes_byte_for_byte() {
        let mut tensors = Vec::new();
        for index in 0..20_u8 {
            let values = (0..=index).map(|value| f32::from(value) / 4.0);
            let tensor = Tensor {
                dtype: DataType::Float,
                shape: vec![1, i64::from(index) + 1],
                bytes: values.flat_map(f32::to_le_bytes).collect(),
            };
            tensors.push((format!("layer_{index:02}/kernel"), tensor));
        }
        let step = Tensor {
            dtype: DataType::Int64,
            shape: Vec::new(),
            bytes: 7_i64.to_le_bytes().to_vec(),
        };
        tensors.push(("step".to_owned(), step));
        let files = encode(&tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect());
        assert_eq!(files.index, include_bytes!("bundle/written_by_tensorflow.index"));
        assert_eq!(files.data, include_bytes!("bundle/written_by_tensorflow.data"));
    }
}
