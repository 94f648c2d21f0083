//! Tensors in JSON: the body of a predict request, read straight into one flat `f32` buffer for each input, and the
//! answer ([`outputs`]).
//!
//! Numbers are rounded correctly to the nearest `f32`. Keys that the signature does not know are skipped, as the
//! original does. Nothing recurses, so no body can overflow the stack.

pub(crate) mod array;
pub(crate) mod cursor;
mod images;
pub(crate) mod layout;
mod number;
pub mod outputs;

use thiserror::Error;

use crate::{api::ErrorInformation, signature::Signature};
use cursor::Cursor;

/// A request whose inputs have the names, types and shapes of a signature.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// In the order of the signature's inputs.
    pub inputs: Vec<Tensor>,
}

/// Numbers with a shape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tensor {
    /// The signature's shape with every length known: `[n_images, 28, 28]`, also where the body has one image
    /// without the outermost brackets or images as flat rows.
    pub shape: Vec<usize>,
    /// Finite, innermost dimension fastest; as many as the product of `shape`, never empty.
    pub values: Vec<f32>,
}

/// How much one request may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Images in each input.
    pub images_max: usize,
}

/// Why a body is not a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TensorError {
    /// Not JSON: truncated, trailing or malformed.
    #[error("not JSON at line {line}, column {column}: {reason}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// JSON, but not what the signature asks for.
    #[error("{path}: expected {expected}, found {found}")]
    Mismatch {
        /// The offending value, such as `imgs[3][17]`.
        path: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// More images than [`Limits::images_max`].
    #[error("{path}: expected at most {images_max} images, found more")]
    TooMany {
        /// The input.
        path: String,
        /// The limit.
        images_max: usize,
    },
}

/// Reads `body`, a JSON object with one array for each input of `signature`, whose inputs must be numbers.
///
/// For an input of shape `[-1, 28, 28]` the arrays `[N, 28, 28]`, `[28, 28]`, `[N, 784]` and `[784]` are understood.
pub fn parse_request(body: &[u8], signature: &Signature, limits: Limits) -> Result<Request, TensorError> {
    let mut request = Request::default();
    parse_request_into(body, signature, limits, &mut request)?;
    Ok(request)
}

/// As [`parse_request`], into the buffers of an earlier request, which is forgotten. After an error the request is of
/// no use but for its buffers.
pub fn parse_request_into(
    body: &[u8],
    signature: &Signature,
    limits: Limits,
    request: &mut Request,
) -> Result<(), TensorError> {
    let inputs = &mut request.inputs;
    inputs.resize_with(signature.inputs.len(), Tensor::default);
    // An input without values is one that was not met yet.
    inputs.iter_mut().for_each(|input| input.values.clear());
    let mut cursor = Cursor::new(body)?;
    if !cursor.take(b'{') {
        return Err(cursor.mismatch("body", "an object with the inputs"));
    }
    let mut is_first = true;
    while cursor.has_next(b'}', is_first)? {
        is_first = false;
        let key = cursor.key()?;
        match signature.inputs.iter().position(|field| field.name == key) {
            Some(index) if !inputs[index].values.is_empty() => {
                return Err(mismatch(&*key, "one value", "the key twice"));
            }
            Some(index) => array::read(&mut cursor, &signature.inputs[index], limits, &mut inputs[index])?,
            None => cursor.skip()?,
        }
    }
    cursor.end()?;
    match signature
        .inputs
        .iter()
        .zip(inputs)
        .find(|(_, input)| input.values.is_empty())
    {
        Some((field, _)) => Err(mismatch(&field.name, "an array of numbers", "no such key")),
        None => Ok(()),
    }
}

impl TensorError {
    /// What an error answer says.
    pub fn information(&self) -> ErrorInformation {
        let message = self.to_string();
        let (path, expected, found) = match self {
            Self::Syntax { .. } => (None, None, None),
            Self::Mismatch { path, expected, found } => {
                (Some(path.clone()), Some(expected.clone()), Some(found.clone()))
            }
            Self::TooMany { path, images_max } => (
                Some(path.clone()),
                Some(format!("at most {images_max} images")),
                Some("more".to_owned()),
            ),
        };
        ErrorInformation {
            message,
            path,
            expected,
            found,
        }
    }
}

/// Something else at `path` than what should be there.
pub fn mismatch(path: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> TensorError {
    TensorError::Mismatch {
        path: path.into(),
        expected: expected.into(),
        found: found.into(),
    }
}

#[cfg(test)]
mod tests;
