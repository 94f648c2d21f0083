//! Bundles out of bytes that nobody vouches for, in any number of parts.

use std::collections::BTreeMap;

use prost::{DecodeError, Message};
use thiserror::Error;

use super::super::{
    checksum::masked_crc32c,
    messages::{BundleEntryProto, BundleHeaderProto, DataType},
    table::{self, TableError},
};
use super::HEADER_KEY;

/// The index of a bundle, and the files in which its parts lie.
pub(crate) struct Bundle<'a> {
    /// Path of the bundle without its ending, such as `variables/variables`.
    path: &'a str,
    n_parts: i32,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    files: &'a BTreeMap<String, Vec<u8>>,
}

/// Why a tensor cannot be read.
#[derive(Debug, Error)]
pub enum BundleError {
    /// A file is not there.
    #[error("there is no file `{0}`")]
    MissingFile(String),
    /// The index is no table.
    #[error("`{path}` is no index of variables")]
    Index {
        /// Of the index.
        path: String,
        /// What is wrong with it.
        #[source]
        source: TableError,
    },
    /// An entry of the index is no message.
    #[error("the entry `{key}` in the index of variables is damaged")]
    Entry {
        /// Of the entry.
        key: String,
        /// What is wrong with it.
        #[source]
        source: DecodeError,
    },
    /// There is no such tensor.
    #[error("there is no variable `{0}`")]
    Missing(String),
    /// The tensor is there, and not as it is needed.
    #[error("the variable `{key}` is {found}, expected {expected}")]
    Form {
        /// Of the tensor.
        key: String,
        /// What is needed.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Its bytes are not those that were written.
    #[error("the variable `{0}` is altered: its checksum is another one")]
    Altered(String),
}

impl<'a> Bundle<'a> {
    /// Reads the index `{path}.index`.
    pub(crate) fn open(path: &'a str, files: &'a BTreeMap<String, Vec<u8>>) -> Result<Self, BundleError> {
        let index = format!("{path}.index");
        let bytes = files.get(&index);
        let bytes = bytes.ok_or_else(|| BundleError::MissingFile(index.clone()))?;
        let entries = table::decode(bytes).map_err(|source| BundleError::Index { path: index, source })?;
        let header = entries.get(HEADER_KEY.as_bytes()).map_or(&[][..], Vec::as_slice);
        let header = BundleHeaderProto::decode(header).map_err(|source| BundleError::Entry {
            key: HEADER_KEY.to_owned(),
            source,
        })?;
        Ok(Self {
            path,
            n_parts: header.num_shards,
            entries,
            files,
        })
    }

    /// How many 32-bit numbers there is room for in the files of all parts.
    pub(crate) fn n_values(&self) -> usize {
        let parts = self.files.iter().filter(|(path, _)| path.starts_with(self.path));
        parts.map(|(_, bytes)| bytes.len() / 4).sum()
    }

    /// The shape of a tensor of 32-bit numbers, and the numbers, row-major.
    pub(crate) fn floats(&self, key: &str) -> Result<(Vec<i64>, Vec<f32>), BundleError> {
        let (shape, bytes) = self.tensor(key, DataType::Float, 4)?;
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok((
            shape,
            numbers.iter().map(|&number| f32::from_le_bytes(number)).collect(),
        ))
    }

    /// A single whole number.
    pub(crate) fn whole(&self, key: &str) -> Result<i64, BundleError> {
        let (_, bytes) = self.tensor(key, DataType::Int64, 8)?;
        let number = bytes.first_chunk().copied().unwrap_or_default();
        Ok(i64::from_le_bytes(number))
    }

    /// Shape and little-endian bytes, as many as the shape says.
    fn tensor(&self, key: &str, dtype: DataType, element_bytes: i64) -> Result<(Vec<i64>, &'a [u8]), BundleError> {
        let entry = self.entries.get(key.as_bytes());
        let entry = entry.ok_or_else(|| BundleError::Missing(key.to_owned()))?;
        let entry = BundleEntryProto::decode(entry.as_slice()).map_err(|source| BundleError::Entry {
            key: key.to_owned(),
            source,
        })?;
        let form = |expected: String, found: String| BundleError::Form {
            key: key.to_owned(),
            expected,
            found,
        };
        if entry.dtype != i32::from(dtype) {
            let found = format!("of type number {}", entry.dtype);
            return Err(form(format!("type number {}", i32::from(dtype)), found));
        }
        if !entry.slices.is_empty() {
            return Err(form(
                "one piece".to_owned(),
                format!("in {} slices", entry.slices.len()),
            ));
        }
        let dim = entry.shape.iter().flat_map(|shape| &shape.dim);
        let shape: Vec<i64> = dim.map(|dim| dim.size).collect();
        let n_bytes = shape.iter().try_fold(element_bytes, |product, &length| {
            product.checked_mul(length).filter(|_| length >= 0)
        });
        if n_bytes != Some(entry.size) {
            let found = format!("of {} bytes", entry.size);
            return Err(form(format!("as many as {shape:?} has"), found));
        }
        let file = format!("{}.data-{:05}-of-{:05}", self.path, entry.shard_id, self.n_parts);
        let part = self.files.get(&file);
        let part = part.ok_or_else(|| BundleError::MissingFile(file.clone()))?;
        let range = usize::try_from(entry.offset).ok().zip(usize::try_from(entry.size).ok());
        let bytes = range.and_then(|(start, length)| part.get(start..start.checked_add(length)?));
        let bytes = bytes.ok_or_else(|| {
            let found = format!("at byte {} with {} bytes", entry.offset, entry.size);
            form(format!("within the {} bytes of `{file}`", part.len()), found)
        })?;
        if masked_crc32c(bytes) == entry.crc32c {
            Ok((shape, bytes))
        } else {
            Err(BundleError::Altered(key.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "variables/variables";

    /// Written by TensorFlow 2.15.1, as said beside the writer.
    fn files() -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([
            (
                format!("{PATH}.index"),
                include_bytes!("written_by_tensorflow.index").to_vec(),
            ),
            (
                format!("{PATH}.data-00000-of-00001"),
                include_bytes!("written_by_tensorflow.data").to_vec(),
            ),
        ])
    }

    #[test]
    fn what_tensorflow_writes_is_read() {
        let files = files();
        let bundle = Bundle::open(PATH, &files).unwrap();
        for index in 0..20_u8 {
            let (shape, values) = bundle.floats(&format!("layer_{index:02}/kernel")).unwrap();
            assert_eq!(shape, [1, i64::from(index) + 1]);
            let expected: Vec<f32> = (0..=index).map(|value| f32::from(value) / 4.0).collect();
            assert_eq!(values, expected);
        }
        assert_eq!(bundle.whole("step").unwrap(), 7);
    }

    /// TensorFlow writes one part for each device or thread that saves.
    #[test]
    fn tensors_are_found_in_whichever_part_they_are() {
        let mut files = files();
        let index = files.remove(&format!("{PATH}.index")).unwrap();
        let data = files.remove(&format!("{PATH}.data-00000-of-00001")).unwrap();
        let mut entries: BTreeMap<String, Vec<u8>> = table::decode(&index)
            .unwrap()
            .into_iter()
            .map(|(key, value)| (String::from_utf8(key).unwrap(), value))
            .collect();
        let mut parts = vec![Vec::new(); 3];
        for (number, (key, value)) in entries.iter_mut().enumerate() {
            if key.as_str() == HEADER_KEY {
                let mut header = BundleHeaderProto::decode(value.as_slice()).unwrap();
                header.num_shards = 3;
                *value = header.encode_to_vec();
                continue;
            }
            let mut entry = BundleEntryProto::decode(value.as_slice()).unwrap();
            let bytes = &data[entry.offset as usize..][..entry.size as usize];
            let part = &mut parts[number % 3];
            entry.shard_id = (number % 3) as i32;
            entry.offset = part.len() as i64;
            part.extend(bytes);
            *value = entry.encode_to_vec();
        }
        for (number, part) in parts.into_iter().enumerate() {
            files.insert(format!("{PATH}.data-0000{number}-of-00003"), part);
        }
        files.insert(format!("{PATH}.index"), table::encode(&entries));
        let bundle = Bundle::open(PATH, &files).unwrap();
        for index in 0..20_u8 {
            let (_, values) = bundle.floats(&format!("layer_{index:02}/kernel")).unwrap();
            assert_eq!(values.last(), Some(&(f32::from(index) / 4.0)));
        }
        assert_eq!(bundle.whole("step").unwrap(), 7);
    }

    #[test]
    fn what_is_missing_altered_or_of_another_kind_is_named() {
        let mut files = files();
        let message = |files: &BTreeMap<String, Vec<u8>>, key: &str| {
            let bundle = Bundle::open(PATH, files).unwrap();
            bundle.floats(key).unwrap_err().to_string()
        };
        assert_eq!(message(&files, "nothing"), "there is no variable `nothing`");
        assert_eq!(
            message(&files, "step"),
            "the variable `step` is of type number 9, expected type number 1"
        );
        let data = format!("{PATH}.data-00000-of-00001");
        files.get_mut(&data).unwrap()[0] ^= 1;
        assert_eq!(
            message(&files, "layer_00/kernel"),
            "the variable `layer_00/kernel` is altered: its checksum is another one"
        );
        files.get_mut(&data).unwrap().clear();
        assert_eq!(
            message(&files, "layer_00/kernel"),
            "the variable `layer_00/kernel` is at byte 0 with 4 bytes, expected within the 0 bytes of \
             `variables/variables.data-00000-of-00001`"
        );
        files.remove(&data);
        assert_eq!(
            message(&files, "layer_00/kernel"),
            "there is no file `variables/variables.data-00000-of-00001`"
        );
    }
}
