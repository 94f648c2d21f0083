//! The body of an inference request over HTTP: JSON, and behind it perhaps tensors in binary form.

use std::borrow::Cow;

use super::{
    announced::{Announced, Head, Place, begin, finish},
    outputs::Outline,
};
use crate::{
    signature::Signature,
    tensor::{Limits, Request, TensorError, cursor::Cursor, mismatch},
};

/// What a client wants besides its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What it calls the request.
    pub id: Option<String>,
    /// What it wants to be told.
    pub outputs: Outline,
}

/// What is read from one body.
struct Reader<'r, 'a> {
    signature: &'r Signature,
    limits: Limits,
    request: &'r mut Request,
    /// What is left of the binary tensors.
    binary: &'r [u8],
    id: Option<String>,
    has_inputs: bool,
    outputs: Option<Vec<Named<'a>>>,
    is_binary_by_default: bool,
}

/// An output as the client asks for it.
struct Named<'a> {
    name: Cow<'a, str>,
    is_binary: Option<bool>,
}

/// One entry of `inputs` as far as it is known.
#[derive(Default)]
struct Entry<'a> {
    name: Option<Cow<'a, str>>,
    datatype: Option<Cow<'a, str>>,
    shape: Option<Vec<i64>>,
    binary_bytes: Option<u64>,
    /// Where the numbers stand.
    data: Option<Cursor<'a>>,
    /// What it is, once the numbers were read where they stood.
    is_read: bool,
}

/// Parameters that change what an answer is, in ways that are not offered.
const NOT_OFFERED: [&str; 4] = [
    "classification",
    "shared_memory_region",
    "shared_memory_offset",
    "shared_memory_byte_size",
];

/// Reads a body, of which `json` is the first part and `binary` the rest, into the buffers of `request`.
///
/// Keys may come in any order, and those that are optional may be `null`; numbers that stand behind name, type and shape, as
/// nearly everybody writes them, are read in one sweep.
pub fn read(
    json: &[u8],
    binary: &[u8],
    signature: &Signature,
    limits: Limits,
    request: &mut Request,
) -> Result<Asked, TensorError> {
    begin(request, signature);
    let mut reader = Reader {
        signature,
        limits,
        request,
        binary,
        id: None,
        has_inputs: false,
        outputs: None,
        is_binary_by_default: false,
    };
    let mut cursor = Cursor::new(json)?;
    cursor.object("body", |cursor, key| reader.key(cursor, key))?;
    cursor.end()?;
    reader.finish()
}

/// Reads a body that is nothing but the elements of the only input, as `FP32`; every output is then wanted in binary form.
pub fn read_raw(
    bytes: &[u8],
    signature: &Signature,
    limits: Limits,
    request: &mut Request,
) -> Result<Asked, TensorError> {
    begin(request, signature);
    let [field] = signature.inputs.as_slice() else {
        let found = format!("{} inputs", signature.inputs.len());
        return Err(mismatch("inputs", "a model with one input", found));
    };
    let lengths = field.shape.iter().skip(1).map(|dimension| i64::from(*dimension));
    let n_values: i64 = lengths.clone().product();
    let n_images = (bytes.len() as i64 / 4 / n_values.max(1)).max(1);
    let shape: Vec<i64> = std::iter::once(n_images).chain(lengths).collect();
    let head = Head {
        place: Place::Body,
        name: &field.name,
        datatype: "FP32",
        shape: &shape,
    };
    let announced = Announced::new(head, signature, limits)?;
    announced.read_bytes(|| Place::Body.to_string(), bytes, request)?;
    Ok(Asked {
        id: None,
        outputs: Outline::all(signature, true),
    })
}

impl<'a> Reader<'_, 'a> {
    fn key(&mut self, cursor: &mut Cursor<'a>, key: &str) -> Result<(), TensorError> {
        match key {
            "id" | "parameters" | "outputs" if is_null(cursor) => cursor.skip(),
            "id" => set(
                &mut self.id,
                || key.to_owned(),
                cursor.text(|| key.to_owned())?.into_owned(),
            ),
            "parameters" => cursor.object(key, |cursor, parameter| {
                let path = || format!("parameters.{parameter}");
                match parameter {
                    "binary_data_output" => self.is_binary_by_default = cursor.truth(path)?,
                    _ => other_parameter(cursor, parameter, path)?,
                }
                Ok(())
            }),
            "inputs" if self.has_inputs => Err(mismatch(key, "one value", "the key twice")),
            "inputs" => {
                self.has_inputs = true;
                cursor.array(key, |cursor, index| self.input(cursor, Place::Entry("inputs", index)))
            }
            "outputs" => {
                let mut named = Vec::new();
                cursor.array(key, |cursor, index| {
                    named.push(output(cursor, Place::Entry("outputs", index))?);
                    Ok(())
                })?;
                set(&mut self.outputs, || key.to_owned(), named)
            }
            _ => cursor.skip(),
        }
    }

    fn input(&mut self, cursor: &mut Cursor<'a>, place: Place<'static>) -> Result<(), TensorError> {
        let mut entry = Entry::default();
        cursor.object(place, |cursor, key| self.input_key(cursor, place, &mut entry, key))?;
        if entry.is_read {
            return Ok(());
        }
        let data = entry.data.take();
        let announced = self.announced(place, &entry)?;
        match (data, entry.binary_bytes) {
            (Some(mut data), None) => announced.read_json(&mut data, self.request),
            (None, Some(n_bytes)) => self.binary(&announced, n_bytes),
            (None, None) => Err(mismatch(format!("{place}.data"), "an array of numbers", "no such key")),
            (Some(_), Some(_)) => {
                let path = format!("{place}.parameters.binary_data_size");
                Err(mismatch(path, "either this or `data`", "both"))
            }
        }
    }

    fn input_key(
        &mut self,
        cursor: &mut Cursor<'a>,
        place: Place<'static>,
        entry: &mut Entry<'a>,
        key: &str,
    ) -> Result<(), TensorError> {
        let path = || format!("{place}.{key}");
        match key {
            "parameters" if is_null(cursor) => cursor.skip(),
            "name" => set(&mut entry.name, path, cursor.text(path)?),
            "datatype" => set(&mut entry.datatype, path, cursor.text(path)?),
            "shape" => {
                let found = shape(cursor, place)?;
                set(&mut entry.shape, path, found)
            }
            "parameters" => cursor.object(format_args!("{place}.parameters"), |cursor, parameter| {
                let path = || format!("{place}.parameters.{parameter}");
                match parameter {
                    "binary_data_size" => set(&mut entry.binary_bytes, path, cursor.whole(path)?),
                    _ => other_parameter(cursor, parameter, path),
                }
            }),
            "data" if entry.data.is_some() => Err(mismatch(path(), "one value", "the key twice")),
            "data" => {
                entry.data = Some(cursor.clone());
                let is_known = entry.name.is_some() && entry.datatype.is_some() && entry.shape.is_some();
                if !is_known || entry.binary_bytes.is_some() {
                    return cursor.skip();
                }
                self.announced(place, entry)?.read_json(cursor, self.request)?;
                entry.is_read = true;
                Ok(())
            }
            _ => cursor.skip(),
        }
    }

    fn announced<'e>(&self, place: Place<'e>, entry: &'e Entry<'_>) -> Result<Announced<'e>, TensorError> {
        let missing = |key: &str| mismatch(format!("{place}.{key}"), "a value", "no such key");
        let head = Head {
            place,
            name: entry.name.as_deref().ok_or_else(|| missing("name"))?,
            datatype: entry.datatype.as_deref().ok_or_else(|| missing("datatype"))?,
            shape: entry.shape.as_deref().ok_or_else(|| missing("shape"))?,
        };
        Announced::new(head, self.signature, self.limits)
    }

    /// Takes the next `n_bytes` of the binary tensors.
    fn binary(&mut self, announced: &Announced<'_>, n_bytes: u64) -> Result<(), TensorError> {
        let path = || format!("{}.parameters.binary_data_size", announced.place);
        let n_bytes = usize::try_from(n_bytes).unwrap_or(usize::MAX);
        let Some((bytes, rest)) = self.binary.split_at_checked(n_bytes) else {
            let expected = format!("at most the {} bytes that are left", self.binary.len());
            return Err(mismatch(path(), expected, format!("{n_bytes} bytes")));
        };
        self.binary = rest;
        announced.expect_bytes(path, n_bytes)?;
        announced.read_bytes(|| format!("{}.data", announced.place), bytes, self.request)
    }

    fn finish(self) -> Result<Asked, TensorError> {
        if !self.has_inputs {
            return Err(mismatch("inputs", "an array of tensors", "no such key"));
        }
        finish(self.request, self.signature)?;
        if !self.binary.is_empty() {
            let found = format!("{} bytes more", self.binary.len());
            return Err(mismatch("body", "the end behind the tensors that are announced", found));
        }
        let mut outputs = Outline(Vec::new());
        for (index, named) in self.outputs.unwrap_or_default().into_iter().enumerate() {
            let is_binary = named.is_binary.unwrap_or(self.is_binary_by_default);
            outputs.add(Place::Entry("outputs", index), &named.name, is_binary, self.signature)?;
        }
        if outputs.0.is_empty() {
            outputs = Outline::all(self.signature, self.is_binary_by_default);
        }
        Ok(Asked { id: self.id, outputs })
    }
}

fn output<'a>(cursor: &mut Cursor<'a>, place: Place<'_>) -> Result<Named<'a>, TensorError> {
    let (mut name, mut is_binary) = (None, None);
    cursor.object(place, |cursor, key| {
        let path = || format!("{place}.{key}");
        match key {
            "parameters" if is_null(cursor) => cursor.skip(),
            "name" => set(&mut name, path, cursor.text(path)?),
            "parameters" => cursor.object(format_args!("{place}.parameters"), |cursor, parameter| {
                let path = || format!("{place}.parameters.{parameter}");
                match parameter {
                    "binary_data" => set(&mut is_binary, path, cursor.truth(path)?),
                    _ => other_parameter(cursor, parameter, path),
                }
            }),
            _ => cursor.skip(),
        }
    })?;
    let name = name.ok_or_else(|| mismatch(format!("{place}.name"), "a value", "no such key"))?;
    Ok(Named { name, is_binary })
}

/// Whether a key comes without a value, as clients write it that know every key.
fn is_null(cursor: &mut Cursor<'_>) -> bool {
    cursor.peek() == Some(b'n')
}

fn shape(cursor: &mut Cursor<'_>, place: Place<'_>) -> Result<Vec<i64>, TensorError> {
    let mut lengths = Vec::with_capacity(4);
    cursor.array(format_args!("{place}.shape"), |cursor, index| {
        let length = cursor.whole(|| format!("{place}.shape[{index}]"))?;
        lengths.push(i64::try_from(length).unwrap_or(i64::MAX));
        Ok(())
    })?;
    Ok(lengths)
}

/// Whether a parameter called `name` may be ignored.
///
/// Errors: one of which it is known that it would change what an answer is.
pub fn expect_offered(name: &str, path: impl Fn() -> String) -> Result<(), TensorError> {
    match NOT_OFFERED.contains(&name) {
        true => Err(mismatch(path(), "no such parameter", "one that is not offered here")),
        false => Ok(()),
    }
}

fn other_parameter(cursor: &mut Cursor<'_>, name: &str, path: impl Fn() -> String) -> Result<(), TensorError> {
    expect_offered(name, path)?;
    cursor.skip()
}

fn set<T>(place: &mut Option<T>, path: impl Fn() -> String, value: T) -> Result<(), TensorError> {
    match place.replace(value) {
        Some(_) => Err(mismatch(path(), "one value", "the key twice")),
        None => Ok(()),
    }
}
