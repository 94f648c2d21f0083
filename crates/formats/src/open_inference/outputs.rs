//! Which outputs an answer has, and in which form.

use super::announced::Place;
use crate::{
    excerpt::excerpt,
    signature::{Field, Signature},
    tensor::{TensorError, mismatch},
};

/// One output of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The number of the output in the signature.
    pub output: usize,
    /// Whether its elements stand behind the JSON in binary form.
    pub is_binary: bool,
}

/// The outputs that an answer has, in the order of the request; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline(pub Vec<Wanted>);

impl Outline {
    /// Every output.
    pub fn all(signature: &Signature, is_binary: bool) -> Self {
        let outputs = 0..signature.outputs.len();
        Self(outputs.map(|output| Wanted { output, is_binary }).collect())
    }

    /// Adds the output that a client calls `name`, at `place`.
    ///
    /// Errors: a name that no output has, or one that is wanted already.
    pub fn add(
        &mut self,
        place: Place<'_>,
        name: &str,
        is_binary: bool,
        signature: &Signature,
    ) -> Result<(), TensorError> {
        let output = signature.outputs.iter().position(|field| field.name == name);
        let output = output.ok_or_else(|| {
            let found = format!("`{}`", excerpt(name));
            mismatch(format!("{place}.name"), names(&signature.outputs), found)
        })?;
        if self.0.iter().any(|wanted| wanted.output == output) {
            return Err(mismatch(format!("{place}.name"), "each output once", "one twice"));
        }
        self.0.push(Wanted { output, is_binary });
        Ok(())
    }
}

fn names(fields: &[Field]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
    names.join(", ")
}
