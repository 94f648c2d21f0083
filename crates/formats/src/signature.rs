//! What a model takes and gives: named fields with element type and shape.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::SignatureName;

/// One way to call a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The last segment of the predict address.
    pub name: SignatureName,
    /// What a request must contain.
    pub inputs: Vec<Field>,
    /// What an answer contains.
    pub outputs: Vec<Field>,
}

/// One named tensor of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The key in the JSON object.
    pub name: String,
    /// The type of each element.
    pub element: ElementType,
    /// Outermost dimension first.
    pub shape: Vec<Dimension>,
}

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ElementType {
    /// 32-bit floating point.
    Float32,
    /// 64-bit signed integer.
    Int64,
    /// UTF-8 text.
    String,
}

/// The length of one dimension, written as a number; -1 stands for any length, as TensorFlow writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(extend("minimum" = -1, "maximum" = u32::MAX))]
pub enum Dimension {
    /// Any length: the number of images in a request.
    Any,
    /// This length.
    Fixed(u32),
}

impl Signature {
    /// The signature of an image classifier, with the original's field names: `imgs` [-1, rows, columns] gives
    /// `class_ids` [-1, 1], `classes` [-1, 1], `logits` and `probabilities` [-1, n_classes].
    pub fn classifier(name: SignatureName, rows: u32, columns: u32, n_classes: u32) -> Self {
        use ElementType::{Float32, Int64, String};
        let field = |name: &str, element, inner: &[u32]| Field {
            name: name.to_owned(),
            element,
            shape: std::iter::once(Dimension::Any)
                .chain(inner.iter().copied().map(Dimension::Fixed))
                .collect(),
        };
        Self {
            name,
            inputs: vec![field("imgs", Float32, &[rows, columns])],
            outputs: vec![
                field("class_ids", Int64, &[1]),
                field("classes", String, &[1]),
                field("logits", Float32, &[n_classes]),
                field("probabilities", Float32, &[n_classes]),
            ],
        }
    }
}

impl TryFrom<i64> for Dimension {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        match number {
            -1 => Ok(Self::Any),
            _ => u32::try_from(number)
                .map(Self::Fixed)
                .map_err(|_| format!("`{number}` is not a dimension, expected -1 or 0 to {}", u32::MAX)),
        }
    }
}

impl From<Dimension> for i64 {
    fn from(dimension: Dimension) -> Self {
        match dimension {
            Dimension::Any => -1,
            Dimension::Fixed(length) => length.into(),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", i64::from(*self))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_classifier_has_the_fields_of_the_original() {
        let signature = Signature::classifier("predict".parse().unwrap(), 28, 28, 10);
        expect![[r#"{"name":"predict","inputs":[{"name":"imgs","element":"float32","shape":[-1,28,28]}],"outputs":[{"name":"class_ids","element":"int64","shape":[-1,1]},{"name":"classes","element":"string","shape":[-1,1]},{"name":"logits","element":"float32","shape":[-1,10]},{"name":"probabilities","element":"float32","shape":[-1,10]}]}"#]]
        .assert_eq(&serde_json::to_string(&signature).unwrap());
    }

    #[test]
    fn a_dimension_below_minus_one_is_refused() {
        assert!(serde_json::from_str::<Dimension>("-2").is_err());
        assert_eq!(serde_json::from_str::<Dimension>("-1").unwrap(), Dimension::Any);
    }
}
