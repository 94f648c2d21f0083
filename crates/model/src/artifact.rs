//! The artifact: one safetensors file with our header in its metadata.

mod read;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{HashMap, HashSet};

use formats::{
    artifact::{
        ARTIFACT_FORMAT, ARTIFACT_FORMAT_MIN, ARTIFACT_FORMAT_ORIGINAL, ArtifactHeader, HEADER_KEY, TrainingSummary,
    },
    digest::Digester,
    profile::DataProfile,
    signature::{Dimension, ElementType, Field, Signature},
};
use safetensors::{Dtype, SafeTensorError, tensor::TensorView};
use thiserror::Error;

use crate::{
    Layer, Network, NetworkError,
    network::{bias_name, weight_name},
};

/// Longest safetensors header, in bytes. Ours has a few thousand; a larger one would only cost memory to refuse.
pub const HEADER_BYTES_MAX: u64 = 1 << 20;
/// Most dense layers of a network.
pub const LAYERS_MAX: usize = 32;
/// Most inputs or outputs of a layer.
pub const WIDTH_MAX: u32 = 1 << 20;

/// A trained network with its header, as one file.
///
/// Invariant: header and network agree in widths, and the signature is that of an image classifier of these widths.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    header: ArtifactHeader,
    network: Network,
}

/// Why bytes or parts are not an artifact.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// The length in the header and the length of the file disagree.
    #[error("the file has {found} bytes, not as many as it announces: it is truncated, or something was appended")]
    Length {
        /// Bytes there are.
        found: usize,
    },
    /// The safetensors header is longer than [`HEADER_BYTES_MAX`].
    #[error("it announces a header of {found} bytes, expected at most {HEADER_BYTES_MAX}")]
    HeaderTooLarge {
        /// What the first eight bytes say.
        found: u64,
    },
    /// Not what the safetensors format asks for.
    // The text of this error repeats that of its own source, so it is shown here and the source is not.
    #[error("it is not a safetensors file: {0}")]
    NotSafetensors(SafeTensorError),
    /// A safetensors file of somebody else.
    #[error("it has no `{HEADER_KEY}` entry in its metadata, so `trainer` did not write it")]
    NoHeader,
    /// Our header is not what this program knows.
    #[error("cannot understand its `{HEADER_KEY}` header")]
    Header(#[source] serde_json::Error),
    /// Written by a newer or older program.
    #[error("its format number is {found}, expected {ARTIFACT_FORMAT_MIN} to {ARTIFACT_FORMAT}")]
    Format {
        /// The number in the header.
        found: u32,
    },
    /// The header's widths are none that a network may have.
    #[error(
        "its layer widths are {found:?}, expected 2 to {} numbers from 1 to {WIDTH_MAX}",
        LAYERS_MAX + 1
    )]
    Widths {
        /// The first of them.
        found: Vec<u32>,
    },
    /// The signature is not that of an image classifier with these widths.
    #[error("its signature `{signature}` does not fit a classifier of {n_inputs} pixels into {n_classes} classes")]
    Signature {
        /// The name of the signature.
        signature: String,
        /// Width of the first layer's input.
        n_inputs: u32,
        /// Width of the last layer's output.
        n_classes: u32,
    },
    /// A tensor that belongs to the network is not there.
    #[error("it has no tensor `{0}`")]
    MissingTensor(String),
    /// A tensor that does not belong to the network is there.
    #[error("it has a tensor `{0}`, which its layer widths do not announce")]
    UnexpectedTensor(String),
    /// A tensor's type or shape is not the one that the widths announce.
    #[error("its tensor `{tensor}` is {found}, expected {expected}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// Such as `F32 [784, 256]`.
        expected: String,
        /// Such as `F64 [784, 256]`.
        found: String,
    },
    /// The weights are not those that were written.
    #[error("its tensors are altered: their digest is {found}, expected {expected}")]
    Altered {
        /// The beginning of the digest in the header.
        expected: String,
        /// The beginning of the digest of the bytes.
        found: String,
    },
    /// The weights are not those of a network.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

impl Artifact {
    /// Puts the results of a training together.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Widths`] and [`ArtifactError::Signature`].
    pub fn new(
        network: Network,
        signature: Signature,
        training: TrainingSummary,
        profile: DataProfile,
    ) -> Result<Self, ArtifactError> {
        // A width beyond `u32` is as much too large as the largest one.
        let layers = network.widths().into_iter();
        let layers = layers.map(|width| u32::try_from(width).unwrap_or(u32::MAX)).collect();
        let mut digester = Digester::default();
        for (_, _, bytes) in tensors(&network) {
            digester.update(&bytes);
        }
        let format = match original(&signature, network.n_classes()) {
            Some(original) if original == signature => ARTIFACT_FORMAT_ORIGINAL,
            _ => ARTIFACT_FORMAT,
        };
        let header = ArtifactHeader {
            format,
            signature,
            layers,
            tensors: digester.finish(),
            training,
            profile,
        };
        check_header(&header)?;
        Ok(Self { header, network })
    }

    /// What the artifact says about itself.
    pub fn header(&self) -> &ArtifactHeader {
        &self.header
    }

    /// The trained network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The bytes of the file. The same artifact gives the same bytes.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::HeaderTooLarge`], and [`ArtifactError::Header`] where the header has no JSON form.
    pub fn encode(&self) -> Result<Vec<u8>, ArtifactError> {
        let header = serde_json::to_string(&self.header).map_err(ArtifactError::Header)?;
        let metadata = HashMap::from([(HEADER_KEY.to_owned(), header)]);
        let tensors = tensors(&self.network);
        let views: Vec<(&str, TensorView<'_>)> = tensors
            .iter()
            .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<_, _>>()
            .map_err(ArtifactError::NotSafetensors)?;
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(ArtifactError::NotSafetensors)?;
        read::header_length(&bytes)?;
        Ok(bytes)
    }
}

/// Name, shape and little-endian bytes of every tensor, in the order in which they lie in the file: by name.
fn tensors(network: &Network) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let of_layer = |(index, layer): (usize, &Layer)| {
        let shape = vec![layer.n_inputs(), layer.n_outputs()];
        [
            (weight_name(index), shape, bytes(&layer.weights)),
            (bias_name(index), vec![layer.n_outputs()], bytes(&layer.bias)),
        ]
    };
    let mut tensors: Vec<_> = network.layers().iter().enumerate().flat_map(of_layer).collect();
    tensors.sort_by(|left, right| left.0.cmp(&right.0));
    tensors
}

/// Checks what the header promises, before anything of that size is allocated.
fn check_header(header: &ArtifactHeader) -> Result<(), ArtifactError> {
    let widths = &header.layers;
    let countable = (2..=LAYERS_MAX + 1).contains(&widths.len());
    if !countable || widths.iter().any(|width| !(1..=WIDTH_MAX).contains(width)) {
        return Err(ArtifactError::Widths {
            found: widths.iter().copied().take(LAYERS_MAX + 2).collect(),
        });
    }
    let (n_inputs, n_classes) = (widths[0], widths[widths.len() - 1]);
    let is_classifier = match header.format {
        ARTIFACT_FORMAT => is_classifier(&header.signature, n_inputs, n_classes),
        _ => original(&header.signature, n_classes as usize).is_some_and(|original| {
            original == header.signature && is_classifier(&header.signature, n_inputs, n_classes)
        }),
    };
    if !is_classifier {
        return Err(ArtifactError::Signature {
            signature: header.signature.name.to_string(),
            n_inputs,
            n_classes,
        });
    }
    Ok(())
}

/// The signature that the original gives to images of this form; `None` where they have no rows and columns.
fn original(signature: &Signature, n_classes: usize) -> Option<Signature> {
    let shape = signature.inputs.first().map(|field| field.shape.as_slice());
    let Some(&[_, Dimension::Fixed(rows), Dimension::Fixed(columns)]) = shape else {
        return None;
    };
    let n_classes = u32::try_from(n_classes).ok()?;
    Some(Signature::classifier(signature.name.clone(), rows, columns, n_classes))
}

/// The signature takes images of so many pixels, whatever their form, and gives what a classifier into so many classes has
/// to give, under names of its own.
fn is_classifier(signature: &Signature, n_inputs: u32, n_classes: u32) -> bool {
    let [input] = signature.inputs.as_slice() else {
        return false;
    };
    let [Dimension::Any, pixels @ ..] = input.shape.as_slice() else {
        return false;
    };
    let n_pixels = pixels.iter().try_fold(1_u32, |product, dimension| match dimension {
        Dimension::Fixed(length) => product.checked_mul(*length),
        Dimension::Any => None,
    });
    let takes_images = input.element == ElementType::Float32 && !pixels.is_empty() && n_pixels == Some(n_inputs);
    let names: HashSet<&str> = signature.outputs.iter().map(|field| field.name.as_str()).collect();
    takes_images
        && !names.is_empty()
        && names.len() == signature.outputs.len()
        && signature
            .outputs
            .iter()
            .all(|field| holds_its_quantity(field, n_classes))
}

/// Type and shape of an output are those of what it holds. The one column of a class may be left out.
fn holds_its_quantity(field: &Field, n_classes: u32) -> bool {
    let Some(quantity) = field.holds() else {
        return false;
    };
    let n_columns = quantity.n_columns(n_classes);
    let has_shape = match field.shape.as_slice() {
        [Dimension::Any] => quantity.n_columns(2) == 1,
        [Dimension::Any, Dimension::Fixed(found)] => *found == n_columns,
        _ => false,
    };
    field.element == quantity.element() && has_shape
}
