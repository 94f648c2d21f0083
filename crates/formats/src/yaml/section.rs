//! Keys: required, optional, unknown.

use super::{Content, Label, Node, Read, Reported, Section};
use crate::excerpt::excerpt;

impl<'a> Section<'a> {
    /// The section as a value, for its place and for mistakes of its own.
    pub fn node(&self) -> Node<'a> {
        self.node
    }

    /// The value of a key that must be there; `read` understands it.
    pub fn required<T>(&mut self, key: &'static str, read: impl FnOnce(Node<'a>) -> Read<T>) -> Read<T> {
        self.known.push(key);
        match self.find(key) {
            Some(value) => read(value),
            None => Err(self.missing(key)),
        }
    }

    /// The value of a key that may be absent or `null`, which both give `None`.
    pub fn optional<T>(&mut self, key: &'static str, read: impl FnOnce(Node<'a>) -> Read<T>) -> Read<Option<T>> {
        self.known.push(key);
        match self.find(key).filter(|value| !value.is_null()) {
            Some(value) => read(value).map(Some),
            None => Ok(None),
        }
    }

    /// Reports every key that was not asked for, with the known one that it resembles.
    pub fn finish(self) {
        for (key, value) in self.entries() {
            if !self.known.contains(&key) {
                let Label::Key { place, .. } = value.stored().label else {
                    continue;
                };
                value.note(place, || {
                    format!("unknown key `{}`; {}", value.path(), self.suggestion(key))
                });
            }
        }
    }

    fn missing(&self, key: &str) -> Reported {
        self.node.note(self.node.place(), || match self.node.path() {
            path if path.is_empty() => format!("missing key `{key}`"),
            path => format!("missing key `{key}` in `{path}`"),
        })
    }

    fn suggestion(&self, key: &str) -> String {
        let free: Vec<&str> = self
            .known
            .iter()
            .copied()
            .filter(|known| self.find(known).is_none())
            .collect();
        // A name as long as a file would cost its length times the length of each known key.
        let distances = free
            .iter()
            .filter(|known| known.len().abs_diff(key.len()) <= 3)
            .map(|known| {
                (
                    strsim::damerau_levenshtein(&known.to_lowercase(), &key.to_lowercase()),
                    *known,
                )
            });
        match distances.min() {
            Some((distance, known)) if distance <= 1 + known.len() / 4 => format!("did you mean `{known}`?"),
            _ => format!("expected {}", any_of(if free.is_empty() { &self.known } else { &free })),
        }
    }

    fn find(&self, key: &str) -> Option<Node<'a>> {
        self.entries().find(|(found, _)| *found == key).map(|(_, value)| value)
    }

    fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let node = self.node;
        let children = match &node.stored().content {
            Content::Section(children) => children.as_slice(),
            Content::Scalar { .. } | Content::List(_) => &[],
        };
        children.iter().filter_map(move |&index| {
            let value = Node { index, ..node };
            match &value.stored().label {
                Label::Key { text, .. } => Some((text.as_str(), value)),
                Label::Root | Label::Item(_) => None,
            }
        })
    }
}

fn any_of(keys: &[&str]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{}`", excerpt(key))).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
