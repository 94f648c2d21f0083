//! A place in a JSON text, and the steps forward from it.

use std::{borrow::Cow, fmt, iter};

use serde::{Deserialize, de::IgnoredAny};

use super::{TensorError, images, mismatch, number};
use crate::excerpt::excerpt;

/// The text from `position` on is still to be read.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Result<Self, TensorError> {
        match simdutf8::compat::from_utf8(body) {
            Ok(text) => Ok(Self { text, position: 0 }),
            Err(error) => {
                let text = String::from_utf8_lossy(&body[..error.valid_up_to()]);
                Err(Cursor {
                    text: &text,
                    position: text.len(),
                }
                .syntax("invalid UTF-8"))
            }
        }
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.position) {
            self.position += 1;
        }
        bytes.get(self.position).copied()
    }

    /// Steps over `byte`, if it comes next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    /// Steps to the next entry of a list that ends with `close`: over the comma, unless it is the first entry.
    pub(crate) fn has_next(&mut self, close: u8, is_first: bool) -> Result<bool, TensorError> {
        if self.take(close) {
            return Ok(false);
        }
        if is_first || self.take(b',') {
            return Ok(true);
        }
        Err(self.unexpected(&format!("`,` or `{}`", char::from(close))))
    }

    /// A key of an object, and its colon.
    pub(crate) fn key(&mut self) -> Result<Cow<'a, str>, TensorError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in quotes"));
        }
        let key = self.string()?;
        if self.take(b':') {
            Ok(key)
        } else {
            Err(self.unexpected("`:`"))
        }
    }

    /// The string whose opening quote comes next.
    fn string(&mut self) -> Result<Cow<'a, str>, TensorError> {
        let rest = &self.text[self.position + 1..];
        let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20));
        match end {
            Some(end) if rest.as_bytes()[end] == b'"' => {
                self.position += end + 2;
                Ok(Cow::Borrowed(&rest[..end]))
            }
            // With an escape, or wrong.
            _ => Ok(Cow::Owned(self.json()?)),
        }
    }

    /// The value at `path`, which must be a string.
    pub(crate) fn text(&mut self, path: impl Fn() -> String) -> Result<Cow<'a, str>, TensorError> {
        match self.peek() {
            Some(b'"') => self.string(),
            _ => Err(self.mismatch(&path(), "a string")),
        }
    }

    /// The value at `path`, which must be `true` or `false`.
    pub(crate) fn truth(&mut self, path: impl Fn() -> String) -> Result<bool, TensorError> {
        match self.peek() {
            Some(b't' | b'f') => self.json(),
            _ => Err(self.mismatch(&path(), "`true` or `false`")),
        }
    }

    /// The value at `path`, which must be a whole number from zero up.
    pub(crate) fn whole(&mut self, path: impl Fn() -> String) -> Result<u64, TensorError> {
        const EXPECTED: &str = "a whole number from 0 up";
        let Some(text) = self.number()? else {
            return Err(self.mismatch(&path(), EXPECTED));
        };
        text.parse()
            .map_err(|_| mismatch(path(), EXPECTED, format!("`{}`", excerpt(text))))
    }

    /// Steps through the object at `path`; `visit` steps over the value of each key.
    pub(crate) fn object(
        &mut self,
        path: impl fmt::Display,
        mut visit: impl FnMut(&mut Self, &str) -> Result<(), TensorError>,
    ) -> Result<(), TensorError> {
        if !self.take(b'{') {
            return Err(self.mismatch(&path.to_string(), "an object"));
        }
        let mut is_first = true;
        while self.has_next(b'}', is_first)? {
            is_first = false;
            let key = self.key()?;
            visit(self, &key)?;
        }
        Ok(())
    }

    /// Steps through the array at `path`; `visit` steps over each entry, of which it is told the index.
    pub(crate) fn array(
        &mut self,
        path: impl fmt::Display,
        mut visit: impl FnMut(&mut Self, usize) -> Result<(), TensorError>,
    ) -> Result<(), TensorError> {
        if !self.take(b'[') {
            return Err(self.mismatch(&path.to_string(), "an array"));
        }
        let mut index = 0;
        while self.has_next(b']', index == 0)? {
            visit(self, index)?;
            index += 1;
        }
        Ok(())
    }

    /// Steps over the value that comes next, whatever it is.
    pub(crate) fn skip(&mut self) -> Result<(), TensorError> {
        self.json::<IgnoredAny>()?;
        Ok(())
    }

    /// Steps over images that are all that [`images::read`] wants; else stays where it is.
    pub(crate) fn images(&mut self, size: (usize, usize), images_max: usize, values: &mut Vec<f32>) -> bool {
        let length = images::read(&self.text.as_bytes()[self.position..], size, images_max, values);
        self.position += length.unwrap_or(0);
        length.is_some()
    }

    /// Steps over a row that is all that [`images::read_row`] wants; else stays where it is.
    pub(crate) fn row(&mut self, n_values: usize, values: &mut Vec<f32>) -> bool {
        let length = images::read_row(&self.text.as_bytes()[self.position..], n_values, values);
        self.position += length.unwrap_or(0);
        length.is_some()
    }

    /// Any value that serde_json understands; it skips deep nesting without recursion.
    pub(crate) fn json<T: Deserialize<'a>>(&mut self) -> Result<T, TensorError> {
        let rest = &self.text[self.position..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => {
                self.position += values.byte_offset();
                Ok(value)
            }
            Some(Err(error)) => {
                let lines_before = rest.split_inclusive('\n').take(error.line().saturating_sub(1));
                let offset = lines_before.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
                self.position = self.text.floor_char_boundary(self.position + offset);
                let reason = error.to_string();
                Err(self.syntax(reason.split(" at line ").next().unwrap_or(&reason)))
            }
            None => Err(self.unexpected("a value")),
        }
    }

    /// Reads commas with numbers behind them into `values`, up to `n_max` of them, as long as that needs no second look;
    /// returns how many. What comes next is not stepped over.
    pub(crate) fn more_numbers(&mut self, n_max: usize, values: &mut Vec<f32>) -> usize {
        let bytes = self.text.as_bytes();
        let mut n_numbers = 0;
        while n_numbers < n_max {
            let start = self.position;
            if !self.take(b',') {
                break;
            }
            self.peek();
            let Some((value, length)) = number::read(&bytes[self.position..]) else {
                self.position = start;
                break;
            };
            self.position += length;
            values.push(value);
            n_numbers += 1;
            if value == 0.0 {
                let n_repeats = self.repeats(start, n_max - n_numbers);
                values.extend(iter::repeat_n(value, n_repeats));
                n_numbers += n_repeats;
            }
        }
        n_numbers
    }

    /// Steps over what stands from `start` up to here, a comma and a number, as often as it stands here again, but at
    /// most `n_max` times; returns how often. Images are full of zeros, which clients write one like the other.
    fn repeats(&mut self, start: usize, n_max: usize) -> usize {
        let bytes = self.text.as_bytes();
        let length = self.position - start;
        let n_repeats = (images::common_prefix(&bytes[self.position..], &bytes[start..]) / length).min(n_max);
        let end = self.position + n_repeats * length;
        // `0.0` may be the beginning of `0.05`.
        let is_whole = matches!(bytes.get(end), Some(b',' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
        let n_repeats = n_repeats.saturating_sub(usize::from(!is_whole));
        self.position += n_repeats * length;
        n_repeats
    }

    /// The text of a number, in the grammar of JSON. `None` where something else stands, which is not stepped over.
    pub(crate) fn number(&mut self) -> Result<Option<&'a str>, TensorError> {
        self.peek();
        let start = self.position;
        let bytes = self.text.as_bytes();
        let sign = usize::from(bytes.get(start) == Some(&b'-'));
        if !bytes.get(start + sign).is_some_and(u8::is_ascii_digit) {
            return Ok(None);
        }
        self.position += sign;
        let first = self.position;
        self.digits();
        if bytes[first] == b'0' {
            // JSON has no leading zeros: what follows the zero is no part of the number.
            self.position = first + 1;
        }
        if bytes.get(self.position) == Some(&b'.') {
            self.position += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = bytes.get(self.position) {
            self.position += 1;
            self.position += usize::from(matches!(bytes.get(self.position), Some(b'+' | b'-')));
            self.some_digits()?;
        }
        Ok(Some(&self.text[start..self.position]))
    }

    pub(crate) fn end(&mut self) -> Result<(), TensorError> {
        if self.peek().is_none() {
            Ok(())
        } else {
            Err(self.unexpected("the end of the body"))
        }
    }

    /// Another kind of value than the one that is expected; a syntax error where there is no value at all.
    pub(crate) fn mismatch(&mut self, path: &str, expected: &str) -> TensorError {
        let rest = |cursor: &Self| &cursor.text[cursor.position..];
        match self.peek() {
            Some(b'"') => mismatch(path, expected, "a string"),
            Some(b'[') => mismatch(path, expected, "an array"),
            Some(b'{') => mismatch(path, expected, "an object"),
            // Also `NaN` and `-Infinity`, which are no JSON but which some clients write.
            Some(b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {
                let rest = rest(self);
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '.'));
                mismatch(
                    path,
                    expected,
                    format!("`{}`", excerpt(&rest[..end.unwrap_or(rest.len())])),
                )
            }
            _ => self.unexpected(expected),
        }
    }

    /// A syntax error at this place.
    pub(crate) fn unexpected(&mut self, expected: &str) -> TensorError {
        self.peek();
        match self.text[self.position..].chars().next() {
            Some(found) => self.syntax(&format!("expected {expected}, found `{}`", found.escape_debug())),
            None => self.syntax(&format!("expected {expected}, found the end of the body")),
        }
    }

    fn some_digits(&mut self) -> Result<(), TensorError> {
        let start = self.position;
        self.digits();
        if self.position > start {
            Ok(())
        } else {
            Err(self.unexpected("a digit"))
        }
    }

    fn digits(&mut self) {
        let bytes = &self.text.as_bytes()[self.position..];
        self.position += bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    }

    fn syntax(&self, reason: &str) -> TensorError {
        let before = &self.text[..self.position];
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        TensorError::Syntax {
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason: reason.to_owned(),
        }
    }
}
