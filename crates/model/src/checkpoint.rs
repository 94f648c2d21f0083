//! A checkpoint: a training that may go on later, as one safetensors file.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashMap};

use formats::{
    checkpoint::{CHECKPOINT_DIGEST_KEY, CHECKPOINT_FORMAT, CHECKPOINT_KEY, CheckpointHeader},
    digest::{Digest, Digester},
};
use safetensors::{Dtype, SafeTensorError, SafeTensors, View};
use serde::Deserialize;
use thiserror::Error;

use crate::{
    LAYERS_MAX, Layer,
    network::{bias_name, weight_name},
};

/// The tensor with the losses of the last steps.
const LOSSES: &str = "losses";
/// Before the names of tensors that are not the weights themselves.
const MOMENT_1: &str = "moment_1.";
const MOMENT_2: &str = "moment_2.";
const BEST: &str = "best.";

/// Where a training stands.
///
/// Invariant of one that was read: all layers have the widths that the header says, and `best` is there where the header
/// has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// All that is no tensor.
    pub header: CheckpointHeader,
    /// What the engine goes on with.
    pub state: TrainingState,
    /// The losses of the last steps.
    pub losses: Vec<f32>,
    /// The best weights so far.
    pub best: Option<Vec<Layer>>,
}

/// The numbers that a training step changes.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingState {
    /// The network.
    pub weights: Vec<Layer>,
    /// What Adam remembers of the gradients, in the form in which the engine keeps it: as a mean or as a sum.
    pub moment_1: Vec<Layer>,
    /// The same of the squared gradients.
    pub moment_2: Vec<Layer>,
}

/// Why bytes are not a checkpoint.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// Not what the safetensors format asks for: cut off, or something else altogether.
    // The text of this error repeats that of its own source, so it is shown here and the source is not.
    #[error("it is not a whole safetensors file: {0}")]
    NotSafetensors(SafeTensorError),
    /// A safetensors file of another kind.
    #[error("it has no `{0}` entry in its metadata")]
    NoEntry(&'static str),
    /// Our header is not what this program knows.
    #[error("cannot understand its `{CHECKPOINT_KEY}` header")]
    Header(#[source] serde_json::Error),
    /// Written by a newer or older program.
    #[error("its format number is {found}, expected {CHECKPOINT_FORMAT}")]
    Format {
        /// The number in the header.
        found: u32,
    },
    /// A tensor is not there, or not of the type and size that the header's widths announce.
    #[error("its tensor `{tensor}` is {found}, expected {expected}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// Such as `F32 [784, 256]`.
        expected: String,
        /// Such as `F64 [784, 256]`, or `missing`.
        found: String,
    },
    /// The header announces no network.
    #[error("its layer widths are {found:?}, expected 2 to {} numbers", LAYERS_MAX + 1)]
    Widths {
        /// What it says.
        found: Vec<u32>,
    },
    /// Header or tensors are not those that were written.
    #[error("it is altered: its digest is {found}, expected `{expected}`")]
    Altered {
        /// What it says itself.
        expected: String,
        /// The digest of what it holds.
        found: Digest,
    },
}

impl Checkpoint {
    /// The bytes of the file.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Header`] where the header has no JSON form.
    pub fn encode(&self) -> Result<Vec<u8>, CheckpointError> {
        let header = serde_json::to_string(&self.header).map_err(CheckpointError::Header)?;
        let tensors = self.tensors();
        let mut digester = Digester::default();
        digester.update(header.as_bytes());
        for (_, tensor) in &tensors {
            digester.update(&tensor.data());
        }
        let metadata = HashMap::from([
            (CHECKPOINT_KEY.to_owned(), header),
            (CHECKPOINT_DIGEST_KEY.to_owned(), digester.finish().to_string()),
        ]);
        safetensors::serialize(tensors, Some(metadata)).map_err(CheckpointError::NotSafetensors)
    }

    /// Reads the bytes of a checkpoint file; its digest covers every number and every letter that is taken from it.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] says what is wrong with the file.
    pub fn read(bytes: &[u8]) -> Result<Self, CheckpointError> {
        /// The one key that every format has, read first: another format need not have our other keys.
        #[derive(Deserialize)]
        struct Numbered {
            format: u32,
        }

        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(CheckpointError::NotSafetensors)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(CheckpointError::NotSafetensors)?;
        let entry = |key: &'static str| {
            let entries = metadata.metadata().as_ref();
            entries
                .and_then(|entries| entries.get(key))
                .ok_or(CheckpointError::NoEntry(key))
        };
        let (text, expected) = (entry(CHECKPOINT_KEY)?, entry(CHECKPOINT_DIGEST_KEY)?);
        let Numbered { format } = serde_json::from_str(text).map_err(CheckpointError::Header)?;
        if format != CHECKPOINT_FORMAT {
            return Err(CheckpointError::Format { found: format });
        }
        let header: CheckpointHeader = serde_json::from_str(text).map_err(CheckpointError::Header)?;
        if !(2..=LAYERS_MAX + 1).contains(&header.layers.len()) {
            return Err(CheckpointError::Widths { found: header.layers });
        }
        let mut reader = Reader {
            tensors,
            widths: header.layers.iter().map(|&width| width as usize).collect(),
            digester: Digester::default(),
        };
        reader.digester.update(text.as_bytes());
        let checkpoint = Self {
            state: TrainingState {
                weights: reader.layers("")?,
                moment_1: reader.layers(MOMENT_1)?,
                moment_2: reader.layers(MOMENT_2)?,
            },
            best: header.best.map(|_| reader.layers(BEST)).transpose()?,
            losses: reader.numbers(LOSSES.to_owned(), None)?,
            header,
        };
        let found = reader.digester.finish();
        if *expected != found.to_string() {
            let expected = expected.clone();
            return Err(CheckpointError::Altered { expected, found });
        }
        Ok(checkpoint)
    }

    /// Every tensor, in the order in which they are digested and read.
    fn tensors(&self) -> Vec<(String, Numbers<'_>)> {
        let TrainingState {
            weights,
            moment_1,
            moment_2,
        } = &self.state;
        let networks = [("", weights), (MOMENT_1, moment_1), (MOMENT_2, moment_2)];
        let networks = networks.into_iter().chain(self.best.iter().map(|best| (BEST, best)));
        let mut tensors = Vec::new();
        for (prefix, layers) in networks {
            for (index, layer) in layers.iter().enumerate() {
                let shape = vec![layer.n_inputs(), layer.n_outputs()];
                let weights = Numbers::new(&layer.weights, shape);
                let bias = Numbers::new(&layer.bias, vec![layer.n_outputs()]);
                tensors.push((format!("{prefix}{}", weight_name(index)), weights));
                tensors.push((format!("{prefix}{}", bias_name(index)), bias));
            }
        }
        let losses = Numbers::new(&self.losses, vec![self.losses.len()]);
        tensors.push((LOSSES.to_owned(), losses));
        tensors
    }
}

/// A tensor whose bytes are made when the file is.
struct Numbers<'a> {
    values: &'a [f32],
    shape: Vec<usize>,
}

impl<'a> Numbers<'a> {
    fn new(values: &'a [f32], shape: Vec<usize>) -> Self {
        Self { values, shape }
    }
}

impl View for Numbers<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.values)
    }
}

/// Takes tensors out one after the other and digests them on the way.
struct Reader<'a> {
    tensors: SafeTensors<'a>,
    widths: Vec<usize>,
    digester: Digester,
}

impl Reader<'_> {
    fn layers(&mut self, prefix: &str) -> Result<Vec<Layer>, CheckpointError> {
        let shapes = self.widths.clone();
        let layers = shapes.windows(2).enumerate().map(|(index, shape)| {
            Ok(Layer {
                weights: self.numbers(format!("{prefix}{}", weight_name(index)), Some(shape))?,
                bias: self.numbers(format!("{prefix}{}", bias_name(index)), Some(&shape[1..]))?,
            })
        });
        layers.collect()
    }

    /// The values of a tensor of this shape, or of one dimension where none is expected.
    fn numbers(&mut self, tensor: String, shape: Option<&[usize]>) -> Result<Vec<f32>, CheckpointError> {
        let view = self.tensors.tensor(&tensor).ok();
        let fits = |view: &safetensors::tensor::TensorView<'_>| match shape {
            Some(shape) => view.shape() == shape,
            None => view.shape().len() == 1,
        };
        match view {
            Some(view) if view.dtype() == Dtype::F32 && fits(&view) => {
                self.digester.update(view.data());
                let (numbers, _) = view.data().as_chunks::<4>();
                Ok(numbers.iter().map(|&number| f32::from_le_bytes(number)).collect())
            }
            view => Err(CheckpointError::Tensor {
                tensor,
                expected: shape.map_or_else(|| "F32 [n]".to_owned(), |shape| format!("F32 {shape:?}")),
                found: view.map_or_else(
                    || "missing".to_owned(),
                    |view| format!("{} {:?}", view.dtype(), view.shape()),
                ),
            }),
        }
    }
}
