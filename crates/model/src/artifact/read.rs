//! Artifacts out of bytes that nobody vouches for.

use std::ops::Range;

use formats::{
    artifact::{ARTIFACT_FORMAT, ARTIFACT_FORMAT_MIN, ArtifactHeader, HEADER_KEY},
    digest::Digest,
};
use safetensors::{
    Dtype, SafeTensorError, SafeTensors,
    tensor::{Metadata, TensorInfo},
};
use serde::Deserialize;

use super::{Artifact, ArtifactError, HEADER_BYTES_MAX, check_header};
use crate::{
    Layer, Network,
    network::{bias_name, check_finite, weight_name},
};

/// Bytes of the number with which a safetensors file begins: the length of its header.
const LENGTH_BYTES: usize = 8;

impl Artifact {
    /// Reads the bytes of an artifact file.
    ///
    /// Everything is checked before weights are allocated: lengths, format number, widths, signature, names, types
    /// and shapes of the tensors, their digest, and that every value is finite.
    ///
    /// # Errors
    ///
    /// [`ArtifactError`] says what is wrong with the file.
    pub fn read(bytes: &[u8]) -> Result<Self, ArtifactError> {
        header_length(bytes)?;
        let (header_bytes, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| match error {
            SafeTensorError::MetadataIncompleteBuffer | SafeTensorError::InvalidHeaderLength => {
                ArtifactError::Length { found: bytes.len() }
            }
            error => ArtifactError::NotSafetensors(error),
        })?;
        let header = parse_header(&metadata)?;
        check_header(&header)?;
        let places = places(&header, &metadata)?;
        let data = &bytes[LENGTH_BYTES + header_bytes..];
        check_digest(&header, data)?;

        let mut layers = Vec::with_capacity(places.len());
        for (index, place) in places.into_iter().enumerate() {
            check_finite(&weight_name(index), values(data, &place.weights))?;
            check_finite(&bias_name(index), values(data, &place.bias))?;
            layers.push(Layer {
                weights: values(data, &place.weights).collect(),
                bias: values(data, &place.bias).collect(),
            });
        }
        let network = Network::new(layers)?;
        Ok(Self { header, network })
    }
}

/// The length of the safetensors header, refused where it is beyond our limit.
pub(super) fn header_length(bytes: &[u8]) -> Result<u64, ArtifactError> {
    let Some(length) = bytes.first_chunk::<LENGTH_BYTES>() else {
        return Err(ArtifactError::Length { found: bytes.len() });
    };
    match u64::from_le_bytes(*length) {
        found if found > HEADER_BYTES_MAX => Err(ArtifactError::HeaderTooLarge { found }),
        length => Ok(length),
    }
}

fn parse_header(metadata: &Metadata) -> Result<ArtifactHeader, ArtifactError> {
    /// The one key that every format has, read first: another format need not have our other keys.
    #[derive(Deserialize)]
    struct Numbered {
        format: u32,
    }

    let entries = metadata.metadata().as_ref();
    let text = entries
        .and_then(|entries| entries.get(HEADER_KEY))
        .ok_or(ArtifactError::NoHeader)?;
    let Numbered { format } = serde_json::from_str(text).map_err(ArtifactError::Header)?;
    if !(ARTIFACT_FORMAT_MIN..=ARTIFACT_FORMAT).contains(&format) {
        return Err(ArtifactError::Format { found: format });
    }
    serde_json::from_str(text).map_err(ArtifactError::Header)
}

/// Where the tensors of one layer lie behind the header, in bytes.
struct Place {
    weights: Range<usize>,
    bias: Range<usize>,
}

/// Finds every tensor that the widths announce, and nothing else.
fn places(header: &ArtifactHeader, metadata: &Metadata) -> Result<Vec<Place>, ArtifactError> {
    let widths: Vec<usize> = header.layers.iter().map(|&width| width as usize).collect();
    let mut names = Vec::new();
    let mut places = Vec::new();
    for (index, pair) in widths.windows(2).enumerate() {
        places.push(Place {
            weights: place(metadata, &weight_name(index), pair)?,
            bias: place(metadata, &bias_name(index), &pair[1..])?,
        });
        names.extend([weight_name(index), bias_name(index)]);
    }
    match metadata.offset_keys().into_iter().find(|name| !names.contains(name)) {
        Some(name) => Err(ArtifactError::UnexpectedTensor(name)),
        None => Ok(places),
    }
}

fn place(metadata: &Metadata, name: &str, shape: &[usize]) -> Result<Range<usize>, ArtifactError> {
    let info = metadata
        .info(name)
        .ok_or_else(|| ArtifactError::MissingTensor(name.to_owned()))?;
    if info.dtype != Dtype::F32 || info.shape != shape {
        let TensorInfo {
            dtype,
            shape: found_shape,
            ..
        } = info;
        return Err(ArtifactError::Tensor {
            tensor: name.to_owned(),
            expected: format!("{} {shape:?}", Dtype::F32),
            found: format!("{dtype} {found_shape:?}"),
        });
    }
    let (start, end) = info.data_offsets;
    Ok(start..end)
}

fn check_digest(header: &ArtifactHeader, data: &[u8]) -> Result<(), ArtifactError> {
    let found = Digest::of(data);
    if found == header.tensors {
        return Ok(());
    }
    Err(ArtifactError::Altered {
        expected: header.tensors.short(),
        found: found.short(),
    })
}

/// The little-endian numbers at `place`.
fn values<'a>(data: &'a [u8], place: &Range<usize>) -> impl Iterator<Item = f32> + 'a {
    let (numbers, _) = data[place.clone()].as_chunks::<4>();
    numbers.iter().map(|&number| f32::from_le_bytes(number))
}
