//! The contract of the original: what a model takes and gives, as its clients send it and its lists show it.
//!
//! Messages are those of `hydro-serving-protos` 0.1.20, `contract/model_contract.proto` and its neighbours; types and
//! shapes are TensorFlow's.

mod honour;
mod text;

use formats::signature::{Dimension, ElementType, Field, Signature};
use prost::{DecodeError, Message, Oneof};
use serde::Serialize;

use crate::tensorflow::messages::{DataType, TensorShapeProto};

pub use honour::ContractError;

/// A contract, as it was sent or as it follows from signatures.
#[derive(Clone, PartialEq, Message)]
pub struct Contract {
    #[prost(string, tag = "1")]
    model_name: String,
    #[prost(message, repeated, tag = "2")]
    signatures: Vec<ModelSignature>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelSignature {
    #[prost(string, tag = "1")]
    signature_name: String,
    #[prost(message, repeated, tag = "2")]
    inputs: Vec<ModelField>,
    #[prost(message, repeated, tag = "3")]
    outputs: Vec<ModelField>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelField {
    #[prost(string, tag = "1")]
    name: String,
    /// Absent: anything; without dimensions: a scalar.
    #[prost(message, optional, tag = "2")]
    shape: Option<TensorShapeProto>,
    #[prost(oneof = "Kind", tags = "3, 4")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(message, tag = "3")]
    Subfields(Subfields),
    #[prost(int32, tag = "4")]
    Dtype(i32),
}

#[derive(Clone, PartialEq, Message)]
struct Subfields {
    #[prost(message, repeated, tag = "1")]
    data: Vec<ModelField>,
}

/// A signature as plain JSON, its fields by their paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlatSignature {
    signature_name: String,
    inputs: Vec<FlatField>,
    outputs: Vec<FlatField>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct FlatField {
    /// Such as `/imgs`.
    field_name: String,
    data_type: String,
    /// `null`: anything.
    shape: Option<Vec<i64>>,
}

impl Contract {
    /// Reads the bytes that a client sends.
    ///
    /// # Errors
    ///
    /// They are not such a message.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContractError> {
        let decoded: Result<Self, DecodeError> = Message::decode(bytes);
        decoded.map_err(ContractError::Bytes)
    }

    /// What follows from the signatures of a model.
    pub fn of<'a>(model_name: &str, signatures: impl IntoIterator<Item = &'a Signature>) -> Self {
        let fields = |fields: &[Field]| fields.iter().map(ModelField::of).collect();
        let signatures = signatures.into_iter().map(|signature| ModelSignature {
            signature_name: signature.name.to_string(),
            inputs: fields(&signature.inputs),
            outputs: fields(&signature.outputs),
        });
        Self {
            model_name: model_name.to_owned(),
            signatures: signatures.collect(),
        }
    }

    /// The same under the name of its model, whatever name it was sent with.
    pub fn named(self, model_name: &str) -> Self {
        Self {
            model_name: model_name.to_owned(),
            ..self
        }
    }

    /// As text of protocol buffers.
    pub fn text(&self) -> String {
        text::of(self)
    }

    /// As plain JSON.
    pub fn flat(&self) -> Vec<FlatSignature> {
        let signatures = self.signatures.iter().map(|signature| FlatSignature {
            signature_name: signature.signature_name.clone(),
            inputs: flat(&signature.inputs, ""),
            outputs: flat(&signature.outputs, ""),
        });
        signatures.collect()
    }
}

impl ModelField {
    fn of(field: &Field) -> Self {
        let dimensions: Vec<i64> = field.shape.iter().copied().map(Dimension::into).collect();
        Self {
            name: field.name.clone(),
            shape: Some(TensorShapeProto::of(&dimensions)),
            kind: Some(Kind::Dtype(data_type(field.element).into())),
        }
    }

    /// Its dimensions; `None` where any are right.
    fn dimensions(&self) -> Option<Vec<i64>> {
        let shape = self.shape.as_ref().filter(|shape| !shape.unknown_rank)?;
        Some(shape.dim.iter().map(|dim| dim.size).collect())
    }
}

fn flat(fields: &[ModelField], above: &str) -> Vec<FlatField> {
    let of_field = |field: &ModelField| {
        let field_name = format!("{above}/{}", field.name);
        let data_type = match &field.kind {
            Some(Kind::Subfields(subfields)) => return flat(&subfields.data, &field_name),
            Some(Kind::Dtype(number)) => data_type_name(*number),
            None => data_type_name(0),
        };
        let shape = field.dimensions();
        vec![FlatField {
            field_name,
            data_type,
            shape,
        }]
    };
    fields.iter().flat_map(of_field).collect()
}

fn data_type(element: ElementType) -> DataType {
    match element {
        ElementType::Float32 => DataType::Float,
        ElementType::Int64 => DataType::Int64,
        ElementType::String => DataType::String,
    }
}

/// The name of a type, or its number where it has none. 27 is the original's own.
fn data_type_name(number: i32) -> String {
    const NAMES: [&str; 24] = [
        "DT_INVALID",
        "DT_FLOAT",
        "DT_DOUBLE",
        "DT_INT32",
        "DT_UINT8",
        "DT_INT16",
        "DT_INT8",
        "DT_STRING",
        "DT_COMPLEX64",
        "DT_INT64",
        "DT_BOOL",
        "DT_QINT8",
        "DT_QUINT8",
        "DT_QINT32",
        "DT_BFLOAT16",
        "DT_QINT16",
        "DT_QUINT16",
        "DT_UINT16",
        "DT_COMPLEX128",
        "DT_HALF",
        "DT_RESOURCE",
        "DT_VARIANT",
        "DT_UINT32",
        "DT_UINT64",
    ];
    let named = usize::try_from(number).ok().and_then(|number| NAMES.get(number));
    match (named, number) {
        (Some(name), _) => (*name).to_owned(),
        (None, 27) => "DT_MAP".to_owned(),
        (None, number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests;
