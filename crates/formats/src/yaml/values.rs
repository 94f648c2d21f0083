//! What a value may be asked for.

use std::{
    error::Error,
    fmt::Display,
    iter,
    ops::{Bound, RangeBounds},
    str::FromStr,
};

use super::{Content, Label, Node, Place, Read, Reported, Section, Stored};
use crate::excerpt::excerpt;

impl<'a> Node<'a> {
    /// Where the value starts.
    pub fn place(self) -> Place {
        self.stored().place
    }

    /// The keys and numbers that lead here, such as `pipeline[0].model`; empty for the root.
    pub fn path(self) -> String {
        let nodes = &self.document.nodes;
        let mut labels = Vec::new();
        let mut index = self.index;
        while index != 0 {
            labels.push(&nodes[index].label);
            index = nodes[index].parent;
        }
        let mut path = String::new();
        for label in labels.into_iter().rev() {
            match label {
                Label::Root => {}
                Label::Item(number) => path.push_str(&format!("[{number}]")),
                Label::Key { text, .. } => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(&excerpt(text));
                }
            }
        }
        path
    }

    /// Notes that something is wrong with this value; `message` is a fragment such as `expected …, found …`.
    pub fn refuse(self, message: impl Display) -> Reported {
        self.note(self.place(), || match self.path() {
            path if path.is_empty() => message.to_string(),
            path => format!("`{path}`: {message}"),
        })
    }

    /// Keys with values.
    pub fn section(self) -> Read<Section<'a>> {
        match self.stored().content {
            Content::Section(_) => Ok(Section {
                node: self,
                known: Vec::new(),
            }),
            _ => Err(self.expected("a section with keys")),
        }
    }

    /// A list; `read` understands each item, and a wrong item does not hide the next.
    pub fn list<T>(self, mut read: impl FnMut(Node<'a>) -> Read<T>) -> Read<Vec<T>> {
        let Content::List(items) = &self.stored().content else {
            return Err(self.expected("a list"));
        };
        let items: Vec<Read<T>> = items.iter().map(|&index| read(Node { index, ..self })).collect();
        items.into_iter().collect()
    }

    /// Any scalar as it is written, quotes taken off.
    pub fn text(self) -> Read<&'a str> {
        match &self.stored().content {
            Content::Scalar { text, .. } if !self.is_null() => Ok(text),
            _ => Err(self.expected("a text")),
        }
    }

    /// A scalar that a type of ours understands; its error is the message.
    pub fn parse<T: FromStr<Err: Error>>(self) -> Read<T> {
        self.text()?.parse().map_err(|error: T::Err| {
            let chain = iter::successors(error.source(), |&cause| cause.source());
            self.refuse(chain.fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
        })
    }

    /// A whole number within `range`.
    pub fn integer<T: FromStr + PartialOrd + Display>(self, range: impl RangeBounds<T>) -> Read<T> {
        self.within("a whole number", range, |text| text.parse().ok())
    }

    /// A finite number within `range`.
    pub fn number(self, range: impl RangeBounds<f64>) -> Read<f64> {
        self.within("a number", range, |text| {
            text.parse().ok().filter(|number: &f64| number.is_finite())
        })
    }

    /// `true` or `false`.
    pub fn flag(self) -> Read<bool> {
        self.plain()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| self.expected("`true` or `false`"))
    }

    /// One of these words.
    pub fn choice<T: Clone>(self, choices: &[(&str, T)]) -> Read<T> {
        let text = self.text()?;
        match choices.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(value.clone()),
            None => {
                let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
                Err(self.expected(&words.join(" or ")))
            }
        }
    }

    /// Nothing behind the key, or `null`.
    pub(super) fn is_null(self) -> bool {
        self.plain()
            .is_some_and(|text| matches!(text, "" | "~" | "null" | "Null" | "NULL"))
    }

    pub(super) fn stored(self) -> &'a Stored {
        &self.document.nodes[self.index]
    }

    pub(super) fn note(self, place: Place, message: impl FnOnce() -> String) -> Reported {
        self.mistakes.borrow_mut().note(place, message);
        Reported(())
    }

    fn expected(self, expected: &str) -> Reported {
        let found = match &self.stored().content {
            _ if self.is_null() => "nothing".to_owned(),
            Content::Scalar { text, is_quoted: false } => format!("`{}`", excerpt(text)),
            Content::Scalar { text, is_quoted: true } => format!("the text \"{}\"", excerpt(text)),
            Content::List(_) => "a list".to_owned(),
            Content::Section(_) => "a section".to_owned(),
        };
        self.refuse(format!("expected {expected}, found {found}"))
    }

    fn within<T: PartialOrd + Display>(
        self,
        kind: &str,
        range: impl RangeBounds<T>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Read<T> {
        let number = self.plain().and_then(parse).filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let from = match range.start_bound() {
                Bound::Included(least) => format!(" from {least}"),
                Bound::Excluded(below) => format!(" above {below}"),
                Bound::Unbounded => String::new(),
            };
            let to = match range.end_bound() {
                Bound::Included(most) => format!(" to {most}"),
                Bound::Excluded(above) => format!(" below {above}"),
                Bound::Unbounded => String::new(),
            };
            self.expected(&format!("{kind}{from}{to}"))
        })
    }

    /// A scalar without quotes: only these are numbers, flags or nothing.
    fn plain(self) -> Option<&'a str> {
        match &self.stored().content {
            Content::Scalar { text, is_quoted: false } => Some(text),
            _ => None,
        }
    }
}
