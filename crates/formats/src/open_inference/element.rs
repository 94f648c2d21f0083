//! The types of elements, by their names in the protocol.

use crate::signature::ElementType;

/// A type of elements that inputs may have; all of them become `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputType {
    /// `FP32`
    Fp32,
    /// `FP64`
    Fp64,
    /// `UINT8`
    Uint8,
    /// `INT32`
    Int32,
    /// `INT64`
    Int64,
}

/// The name of a type of the signature.
pub fn name(element: ElementType) -> &'static str {
    match element {
        ElementType::Float32 => "FP32",
        ElementType::Int64 => "INT64",
        ElementType::String => "BYTES",
    }
}

impl InputType {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Fp32, Self::Fp64, Self::Uint8, Self::Int32, Self::Int64];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Uint8 => "UINT8",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
        }
    }

    /// The type of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|element| element.name() == name)
    }

    /// Bytes of one element.
    pub fn n_bytes(self) -> usize {
        match self {
            Self::Uint8 => 1,
            Self::Fp32 | Self::Int32 => 4,
            Self::Fp64 | Self::Int64 => 8,
        }
    }

    /// The smallest and the largest of its numbers, where they are whole.
    pub fn whole(self) -> Option<(i64, i64)> {
        match self {
            Self::Fp32 | Self::Fp64 => None,
            Self::Uint8 => Some((0, u8::MAX.into())),
            Self::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
            Self::Int64 => Some((i64::MIN, i64::MAX)),
        }
    }

    /// Appends the elements in `bytes`, little-endian and without anything between them, to `values`.
    pub(super) fn append(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::Fp32 => values.extend(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four))),
            Self::Fp64 => values.extend(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|eight| f64::from_le_bytes(*eight) as f32),
            ),
            Self::Uint8 => values.extend(bytes.iter().map(|byte| f32::from(*byte))),
            Self::Int32 => values.extend(bytes.as_chunks().0.iter().map(|four| i32::from_le_bytes(*four) as f32)),
            Self::Int64 => values.extend(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|eight| i64::from_le_bytes(*eight) as f32),
            ),
        }
    }
}
