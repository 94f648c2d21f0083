//! YAML read strictly: every value knows its place, and all mistakes of a document are told at once.
//!
//! A reader asks a [`Section`] for each key it knows, with a function that understands the value. A wrong value is
//! noted with its line, and reading goes on; only at the end the typed value comes out, or every mistake.
//!
//! ```
//! use formats::yaml::Document;
//!
//! let document = Document::parse("pipeline.yaml", "steps: 10000\nrate: 0.01\n").unwrap();
//! let settings: (u32, f64) = document
//!     .read(|root| {
//!         let mut section = root.section()?;
//!         let steps = section.required("steps", |node| node.integer(1..=1_000_000));
//!         let rate = section.optional("rate", |node| node.number(0.0..=1.0));
//!         section.finish(); // reports the keys that were not asked for
//!         Ok((steps?, rate?.unwrap_or(0.01)))
//!     })
//!     .unwrap();
//! assert_eq!(settings, (10_000, 0.01));
//! ```
//!
//! Ask for every key before the first `?`, so that one mistake does not hide the next. Anchors, aliases, tags and
//! second documents are refused; size and depth are bounded.

mod parse;
mod section;
mod values;

use std::{cell::RefCell, fmt};

use thiserror::Error;

/// Largest document, in bytes.
pub const SIZE_MAX: usize = 1 << 20;
/// Deepest nesting of lists and sections.
pub const DEPTH_MAX: usize = 32;
/// How many mistakes are kept; the rest is counted.
pub const MISTAKES_MAX: usize = 50;

/// A document whose syntax is right, and nothing more known about it.
#[derive(Debug)]
pub struct Document {
    file: String,
    /// Invariant: never empty, the root first, and each node behind its parent.
    nodes: Vec<Stored>,
    /// Keys that are there twice: no reason to stop parsing, but nothing is read while there are any.
    mistakes: Collected,
}

/// One value of a document, at its place. Small and `Copy`: pass it by value.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    index: usize,
    mistakes: &'a RefCell<Collected>,
}

/// A value with keys. It remembers which were asked for; [`Section::finish`] reports the others.
#[must_use = "`finish` reports misspelt keys"]
pub struct Section<'a> {
    node: Node<'a>,
    known: Vec<&'static str>,
}

/// A value, or the promise that its mistake is noted.
pub type Read<T> = Result<T, Reported>;

/// Stands for a mistake that was noted; only noting one makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported(());

/// Everything that is wrong with one document, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Mistakes {
    /// The name of the file, as it was given.
    pub file: String,
    /// At most [`MISTAKES_MAX`].
    pub list: Vec<Mistake>,
    /// How many more there are.
    pub n_left_out: usize,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is.
    pub place: Place,
    /// What it is, with the key path, what was expected and what was found.
    pub message: String,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

#[derive(Debug)]
struct Stored {
    parent: usize,
    label: Label,
    place: Place,
    content: Content,
}

/// How a node is called in its parent.
#[derive(Debug)]
enum Label {
    Root,
    Item(usize),
    Key { text: String, place: Place },
}

#[derive(Debug)]
enum Content {
    Scalar { text: String, is_quoted: bool },
    List(Vec<usize>),
    Section(Vec<usize>),
}

#[derive(Debug, Clone, Default)]
struct Collected {
    list: Vec<Mistake>,
    n_left_out: usize,
}

impl Document {
    /// Reads a document, of which nothing needs to be known.
    ///
    /// `file` is used in messages only. An error is the place at which the text stops being YAML, or has what this
    /// reader refuses.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        parse::parse(file, text)
    }

    /// Understands the document with `read`, which gets its root: the value, or every mistake.
    pub fn read<T>(&self, read: impl FnOnce(Node<'_>) -> Read<T>) -> Result<T, Mistakes> {
        let mistakes = RefCell::new(self.mistakes.clone());
        let value = read(Node {
            document: self,
            index: 0,
            mistakes: &mistakes,
        });
        let collected = mistakes.into_inner();
        match value {
            Ok(value) if collected.list.is_empty() => Ok(value),
            _ => Err(collected.finish(&self.file)),
        }
    }
}

impl Collected {
    fn note(&mut self, place: Place, message: impl FnOnce() -> String) {
        // A full list costs nothing more: a hostile file cannot fill the memory with messages.
        if self.list.len() < MISTAKES_MAX {
            self.list.push(Mistake {
                place,
                message: message(),
            });
        } else {
            self.n_left_out += 1;
        }
    }

    fn finish(mut self, file: &str) -> Mistakes {
        self.list.sort_by_key(|mistake| mistake.place);
        Mistakes {
            file: file.to_owned(),
            list: self.list,
            n_left_out: self.n_left_out,
        }
    }
}

/// One line for each mistake: `application.yaml:3:5: unknown key …`.
impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { place, message }) in self.list.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{}:{place}: {message}", self.file)?;
        }
        if self.n_left_out > 0 {
            write!(formatter, "\n{}: {} more mistakes", self.file, self.n_left_out)?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests;
