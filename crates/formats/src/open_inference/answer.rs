//! The answer to an inference request over HTTP, written straight from flat buffers.

use std::borrow::Cow;

use super::{
    element,
    outputs::{Outline, Wanted},
};
use crate::{
    signature::{Dimension, Field, Quantity, Signature},
    tensor::outputs::{Outputs, write_numbers, write_whole},
};

/// What one answer consists of.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// What the client calls the model.
    pub model: &'a str,
    /// The version that answered, where that may be told.
    pub version: Option<&'a str>,
    /// What the client calls the request.
    pub id: Option<&'a str>,
    /// How the model is called.
    pub signature: &'a Signature,
    /// Which outputs are wanted.
    pub outline: &'a Outline,
    /// All numbers.
    pub outputs: Outputs<'a>,
}

/// The elements of one output.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements<'a> {
    /// Numbers as they are.
    Numbers(&'a [f32]),
    /// Classes as whole numbers.
    Classes(Cow<'a, [usize]>),
    /// Classes as text.
    Names(Cow<'a, [usize]>),
}

impl<'a> Elements<'a> {
    /// The elements of an output of the signature. One that says not what it holds has no place in a classifier's, and
    /// has none.
    pub fn of(field: &Field, outputs: Outputs<'a>) -> Self {
        let all = || {
            let n_images = outputs.class_ids.len();
            let row = 0..outputs.logits.len() / n_images.max(1);
            Cow::Owned((0..n_images).flat_map(|_| row.clone()).collect())
        };
        match field.holds() {
            Some(Quantity::ClassIds) => Self::Classes(Cow::Borrowed(outputs.class_ids)),
            Some(Quantity::Classes) => Self::Names(Cow::Borrowed(outputs.class_ids)),
            Some(Quantity::AllClassIds) => Self::Classes(all()),
            Some(Quantity::AllClasses) => Self::Names(all()),
            Some(Quantity::Logits) => Self::Numbers(outputs.logits),
            Some(Quantity::Probabilities) => Self::Numbers(outputs.probabilities),
            None => Self::Numbers(&[]),
        }
    }

    /// Appends them in the binary form of the protocol: little-endian, texts each behind its length.
    pub fn write_bytes(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Numbers(numbers) => {
                bytes.reserve(size_of_val(*numbers));
                numbers
                    .iter()
                    .for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
            }
            Self::Classes(classes) => bytes.extend(classes.iter().flat_map(|class| (*class as i64).to_le_bytes())),
            Self::Names(classes) => {
                for class in classes.iter() {
                    let start = bytes.len();
                    bytes.extend_from_slice(&[0; 4]);
                    write_whole(*class, bytes);
                    let length = (bytes.len() - start - 4) as u32;
                    bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
                }
            }
        }
    }

    /// Appends those of one image, of so many, as JSON with commas between them.
    pub(crate) fn write_row(&self, image: usize, n_images: usize, json: &mut Vec<u8>) {
        match self {
            Self::Numbers(numbers) => write_numbers(row(numbers, image, n_images), json),
            Self::Classes(classes) => write_classes(row(classes, image, n_images), "", json),
            Self::Names(classes) => write_classes(row(classes, image, n_images), "\"", json),
        }
    }

    /// Appends all of them in the same way.
    fn write_json(&self, json: &mut Vec<u8>) {
        self.write_row(0, 1, json);
    }
}

/// What belongs to one image, of so many.
fn row<T>(elements: &[T], image: usize, n_images: usize) -> &[T] {
    let length = elements.len() / n_images.max(1);
    &elements[image * length..(image + 1) * length]
}

impl Answer<'_> {
    /// Appends the answer to the empty `body`; returns the length of the JSON where binary tensors stand behind it.
    pub fn write(&self, body: &mut Vec<u8>) -> Option<usize> {
        body.extend_from_slice(b"{\"model_name\":");
        write_text(self.model, body);
        for (key, text) in [(",\"model_version\":", self.version), (",\"id\":", self.id)] {
            if let Some(text) = text {
                body.extend_from_slice(key.as_bytes());
                write_text(text, body);
            }
        }
        body.extend_from_slice(b",\"outputs\":[");
        let mut binary = Vec::new();
        for (index, wanted) in self.outline.0.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            self.write_output(*wanted, body, &mut binary);
        }
        body.extend_from_slice(b"]}");
        if self.outline.0.iter().all(|wanted| !wanted.is_binary) {
            return None;
        }
        let n_json_bytes = body.len();
        body.append(&mut binary);
        Some(n_json_bytes)
    }

    fn write_output(&self, wanted: Wanted, json: &mut Vec<u8>, binary: &mut Vec<u8>) {
        let field = &self.signature.outputs[wanted.output];
        json.extend_from_slice(b"{\"name\":");
        write_text(&field.name, json);
        json.extend_from_slice(b",\"datatype\":\"");
        json.extend_from_slice(element::name(field.element).as_bytes());
        json.extend_from_slice(b"\",\"shape\":[");
        for (index, length) in shape(field, self.outputs.class_ids.len()).enumerate() {
            if index > 0 {
                json.push(b',');
            }
            write_whole(length, json);
        }
        let elements = Elements::of(field, self.outputs);
        if wanted.is_binary {
            let start = binary.len();
            elements.write_bytes(binary);
            json.extend_from_slice(b"],\"parameters\":{\"binary_data_size\":");
            write_whole(binary.len() - start, json);
            json.extend_from_slice(b"}}");
        } else {
            json.extend_from_slice(b"],\"data\":[");
            elements.write_json(json);
            json.extend_from_slice(b"]}");
        }
    }
}

/// The shape of an output for this many images.
pub fn shape(field: &Field, n_images: usize) -> impl Iterator<Item = usize> {
    field.shape.iter().map(move |dimension| match dimension {
        Dimension::Any => n_images,
        Dimension::Fixed(length) => *length as usize,
    })
}

fn write_text(text: &str, json: &mut Vec<u8>) {
    serde_json::to_writer(json, text).expect("text is written into memory without error");
}

fn write_classes(classes: &[usize], quote: &str, json: &mut Vec<u8>) {
    for (index, class) in classes.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(quote.as_bytes());
        write_whole(*class, json);
        json.extend_from_slice(quote.as_bytes());
    }
}
