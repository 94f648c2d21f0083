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
    /// What an output holds that is not called like it; absent where the name says it, and for inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
}

/// What a classifier says of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The class with the largest logit.
    ClassIds,
    /// The same as text.
    Classes,
    /// What the last layer gives.
    Logits,
    /// Their softmax.
    Probabilities,
    /// Every class there is, in order.
    AllClassIds,
    /// The same as text.
    AllClasses,
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
            quantity: None,
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

impl Field {
    /// What the output holds; `None` where neither the field nor its name says it.
    pub fn holds(&self) -> Option<Quantity> {
        let named = Quantity::ALL.into_iter().find(|quantity| quantity.name() == self.name);
        self.quantity.or(named)
    }
}

impl Quantity {
    /// Every quantity.
    pub const ALL: [Self; 6] = [
        Self::ClassIds,
        Self::Classes,
        Self::Logits,
        Self::Probabilities,
        Self::AllClassIds,
        Self::AllClasses,
    ];

    /// What the original calls an output that holds it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClassIds => "class_ids",
            Self::Classes => "classes",
            Self::Logits => "logits",
            Self::Probabilities => "probabilities",
            Self::AllClassIds => "all_class_ids",
            Self::AllClasses => "all_classes",
        }
    }

    /// The type of its elements.
    pub fn element(self) -> ElementType {
        match self {
            Self::ClassIds | Self::AllClassIds => ElementType::Int64,
            Self::Classes | Self::AllClasses => ElementType::String,
            Self::Logits | Self::Probabilities => ElementType::Float32,
        }
    }

    /// How many there are of an image that may be one of so many classes.
    pub fn n_columns(self, n_classes: u32) -> u32 {
        match self {
            Self::ClassIds | Self::Classes => 1,
            Self::Logits | Self::Probabilities | Self::AllClassIds | Self::AllClasses => n_classes,
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
    fn an_output_holds_what_its_name_says_unless_it_says_otherwise() {
        let mut signature = Signature::classifier("predict".parse().unwrap(), 28, 28, 10);
        let [class_ids, ..] = signature.outputs.as_mut_slice() else {
            panic!("a classifier has outputs")
        };
        assert_eq!(class_ids.holds(), Some(Quantity::ClassIds));
        class_ids.name = "dense_1".to_owned();
        assert_eq!(class_ids.holds(), None);
        class_ids.quantity = Some(Quantity::Probabilities);
        assert_eq!(class_ids.holds(), Some(Quantity::Probabilities));
        let text = serde_json::to_string(class_ids).unwrap();
        assert_eq!(
            text,
            r#"{"name":"dense_1","element":"int64","shape":[-1,1],"quantity":"probabilities"}"#
        );
        for quantity in Quantity::ALL {
            assert_eq!(serde_json::to_value(quantity).unwrap(), quantity.name());
        }
    }

    #[test]
    fn a_dimension_below_minus_one_is_refused() {
        assert!(serde_json::from_str::<Dimension>("-2").is_err());
        assert_eq!(serde_json::from_str::<Dimension>("-1").unwrap(), Dimension::Any);
    }
}
