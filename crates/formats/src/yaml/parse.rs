//! From the parser's events to a flat list of nodes, with everything refused that a configuration file never needs.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::{Collected, Content, DEPTH_MAX, Document, Label, Mistakes, Place, SIZE_MAX, Stored};
use crate::excerpt::excerpt;

/// The tree is built with a list of open nodes instead of recursion, so no document can overflow the stack.
#[derive(Default)]
struct Builder {
    nodes: Vec<Stored>,
    open: Vec<Open>,
    mistakes: Collected,
}

/// A list or section whose end is still to come.
struct Open {
    index: usize,
    /// In a section: the key whose value comes next.
    key: Option<(String, Place)>,
    /// In a section: every key so far.
    seen: HashMap<String, Place>,
}

struct Refused {
    place: Place,
    message: String,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Document, Mistakes> {
    let mut builder = Builder::default();
    match builder.build(text) {
        Ok(()) => Ok(Document {
            file: file.to_owned(),
            nodes: builder.nodes,
            mistakes: builder.mistakes,
        }),
        Err(Refused { place, message }) => {
            builder.mistakes.note(place, || message);
            Err(builder.mistakes.finish(file))
        }
    }
}

impl Builder {
    fn build(&mut self, text: &str) -> Result<(), Refused> {
        let start = Place { line: 1, column: 1 };
        if text.len() > SIZE_MAX {
            return refuse(
                start,
                format!("expected at most {SIZE_MAX} bytes, found {}", text.len()),
            );
        }
        let end = end_of(text);
        let place_of = |marker: Marker| place_of(marker).min(end);
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            match event {
                Ok((Event::StreamEnd, _)) => break,
                Ok((event, span)) => self.take(event, place_of(span.start))?,
                Err(error) => return refuse(place_of(*error.marker()), format!("not YAML: {}", error.info())),
            }
        }
        if self.nodes.is_empty() {
            refuse(start, "the document is empty".to_owned())
        } else {
            Ok(())
        }
    }

    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Refused> {
        match event {
            Event::DocumentStart(_) if !self.nodes.is_empty() => {
                refuse(place, "a second document starts here, expected one per file".to_owned())
            }
            Event::Alias(_) => refuse(
                place,
                "aliases (`*name`) are not understood, write the value out".to_owned(),
            ),
            Event::Scalar(_, _, 1.., _) | Event::SequenceStart(1.., _) | Event::MappingStart(1.., _) => refuse(
                place,
                "anchors (`&name`) are not understood, write the value out".to_owned(),
            ),
            Event::Scalar(.., Some(tag)) | Event::SequenceStart(_, Some(tag)) | Event::MappingStart(_, Some(tag)) => {
                refuse(
                    place,
                    format!("tags are not understood, found `{}`", excerpt(&tag.to_string())),
                )
            }
            Event::Scalar(text, style, ..) => {
                self.scalar(text.into_owned(), style != ScalarStyle::Plain, place);
                Ok(())
            }
            Event::SequenceStart(..) => self.open(Content::List(Vec::new()), place),
            Event::MappingStart(..) => self.open(Content::Section(Vec::new()), place),
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn scalar(&mut self, text: String, is_quoted: bool, place: Place) {
        if self.expects_key() {
            let open = self.open.last_mut().expect("only an open section expects a key");
            open.key = Some((text, place));
        } else {
            self.add(Content::Scalar { text, is_quoted }, place);
        }
    }

    fn open(&mut self, content: Content, place: Place) -> Result<(), Refused> {
        if self.expects_key() {
            return refuse(place, "a key must be text, found a list or a section".to_owned());
        }
        if self.open.len() == DEPTH_MAX {
            return refuse(place, format!("nested deeper than {DEPTH_MAX} levels"));
        }
        let index = self.add(content, place);
        self.open.push(Open {
            index,
            key: None,
            seen: HashMap::new(),
        });
        Ok(())
    }

    fn expects_key(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| open.key.is_none() && matches!(self.nodes[open.index].content, Content::Section(_)))
    }

    fn add(&mut self, content: Content, place: Place) -> usize {
        let index = self.nodes.len();
        let Some(open) = self.open.last_mut() else {
            self.nodes.push(Stored {
                parent: index,
                label: Label::Root,
                place,
                content,
            });
            return index;
        };
        let parent = open.index;
        let label = match &mut self.nodes[parent].content {
            Content::Section(children) => {
                let (text, key_place) = open.key.take().expect("a value of a section comes behind its key");
                match open.seen.get(&text) {
                    // The second value stays out of the section, so each key is read once.
                    Some(first) => self.mistakes.note(key_place, || {
                        format!("key `{}` is here twice, first in line {}", excerpt(&text), first.line)
                    }),
                    None => {
                        open.seen.insert(text.clone(), key_place);
                        children.push(index);
                    }
                }
                Label::Key { text, place: key_place }
            }
            Content::List(children) => {
                children.push(index);
                Label::Item(children.len() - 1)
            }
            Content::Scalar { .. } => unreachable!("only lists and sections are opened"),
        };
        self.nodes.push(Stored {
            parent,
            label,
            place,
            content,
        });
        index
    }
}

fn refuse<T>(place: Place, message: String) -> Result<T, Refused> {
    Err(Refused { place, message })
}

/// The place behind the last character. The parser counts one line more where the last one has no line break.
fn end_of(text: &str) -> Place {
    let n_breaks = text.matches(['\n', '\r']).count() - text.matches("\r\n").count();
    let last_line = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    Place {
        line: n_breaks + 1,
        column: last_line.chars().count() + 1,
    }
}

/// The parser counts columns from 0.
fn place_of(marker: Marker) -> Place {
    Place {
        line: marker.line(),
        column: marker.col() + 1,
    }
}
