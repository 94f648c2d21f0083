//! What a reader made of some bytes.

use std::error::Error;

/// What a reader made of some bytes. A test that every seed has the outcome that it was made for keeps seeds useful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A value, which kept all that is promised of one.
    Accepted,
    /// An error, which could be told.
    Refused,
}

impl Outcome {
    /// The outcome of an error, whose text must say something at every layer.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let mut layer = Some(error);
        while let Some(error) = layer {
            assert!(!error.to_string().is_empty(), "an error says nothing: {error:?}");
            layer = error.source();
        }
        Self::Refused
    }
}
