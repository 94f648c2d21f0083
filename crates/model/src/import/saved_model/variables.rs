//! Variables: under which name each of them is kept, found by what fills it when the model is loaded.

use std::collections::HashMap;

use super::{
    SavedModelError,
    graph::{Graph, Tensor},
};

/// The names in the bundle, by variable.
pub(super) struct Variables<'a>(HashMap<(usize, &'a str, usize), &'a str>);

impl<'a> Variables<'a> {
    /// Finds what is restored into which variable.
    pub(super) fn of(graph: &mut Graph<'a>) -> Result<Self, SavedModelError> {
        let mut keys = HashMap::new();
        for assignment in graph.restoring()? {
            if !matches!(assignment.operation(), "AssignVariableOp" | "Assign") {
                continue;
            }
            let restored = graph.input_through(assignment, 1)?;
            if restored.operation() != "RestoreV2" {
                continue;
            }
            let variable = graph.input(assignment, 0)?;
            let name = text(graph, restored, 1)?;
            let slice = text(graph, restored, 2)?;
            if !is_whole(slice) {
                return Err(restored.unsupported("variables in one piece"));
            }
            keys.insert(variable.key(), name);
        }
        Ok(Self(keys))
    }

    /// The name of the variable that a tensor is the value of.
    pub(super) fn key(&self, graph: &mut Graph<'a>, value: Tensor<'a>) -> Result<&'a str, SavedModelError> {
        let variable = match value.operation() {
            "ReadVariableOp" => graph.input_through(value, 0)?,
            _ => value,
        };
        let key = self.0.get(&variable.key());
        key.copied()
            .ok_or_else(|| variable.unsupported("a variable that is restored from the bundle"))
    }
}

/// The text that belongs to an output of a `RestoreV2`, of those that its input `index` lists.
fn text<'a>(graph: &mut Graph<'a>, restored: Tensor<'a>, index: usize) -> Result<&'a str, SavedModelError> {
    let list = graph.input_through(restored, index)?;
    let texts = list.constant().map_or(&[][..], |constant| &constant.string_val);
    // One text stands for all where all are the same.
    let text = texts.get(restored.output).or(texts.last().filter(|_| texts.len() == 1));
    let text = text.and_then(|text| std::str::from_utf8(text).ok());
    text.ok_or_else(|| list.unsupported("a list of names"))
}

/// Whether a slice is all of its variable: nothing is said of it, or each dimension begins at 0 and has its whole length,
/// as in `784 256 0,784:0,256`.
fn is_whole(slice: &str) -> bool {
    let mut parts: Vec<&str> = slice.split(' ').collect();
    let Some(ranges) = parts.pop().filter(|_| !slice.is_empty()) else {
        return true;
    };
    let ranges: Vec<&str> = ranges.split(':').collect();
    let is_all = |(range, length): (&&str, &&str)| *range == "-" || **range == format!("0,{length}");
    ranges.len() == parts.len() && ranges.iter().zip(&parts).all(is_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slice_with_everything_is_whole() {
        for slice in ["", "784 256 0,784:0,256", "784 256 -:-", "10 -"] {
            assert!(is_whole(slice), "{slice}");
        }
        for slice in ["784 256 0,392:0,256", "784 256 392,392:-", "784 256 -", "-:-", "x"] {
            assert!(!is_whole(slice), "{slice}");
        }
    }
}
