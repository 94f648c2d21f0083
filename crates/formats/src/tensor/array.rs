//! Nested arrays of numbers: which shapes a field takes, and reading them flat.

use std::iter;

use super::{
    Limits, Tensor, TensorError,
    cursor::Cursor,
    layout::{Layout, layouts, length},
    mismatch, number,
};
use crate::{
    excerpt::excerpt,
    signature::{Dimension, Field},
};

struct Reader<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    wanted: Wanted<'c>,
    limits: Limits,
    /// The layouts that what was read so far agrees with.
    layouts: Vec<Layout>,
    /// For each open array, outermost first, how many values it has so far; also the path of the next value.
    counts: Vec<usize>,
    values: &'c mut Vec<f32>,
    /// From where to where the numbers are, where they must be whole.
    whole: Option<(i64, i64)>,
}

/// What an array should be, for messages about it.
#[derive(Clone, Copy)]
enum Wanted<'c> {
    /// The value of a field, which is also the beginning of its paths.
    Field(&'c Field),
    /// An array of this shape, found at a path.
    Exactly(&'c str, &'c [usize]),
}

/// Reads the value of `field`, and nothing behind it, into the empty `tensor`.
pub(crate) fn read(
    cursor: &mut Cursor<'_>,
    field: &Field,
    limits: Limits,
    tensor: &mut Tensor,
) -> Result<(), TensorError> {
    if let [Dimension::Any, Dimension::Fixed(n_rows), Dimension::Fixed(n_columns)] = field.shape[..] {
        let (n_rows, n_columns) = (n_rows as usize, n_columns as usize);
        if cursor.images((n_rows, n_columns), limits.images_max, &mut tensor.values) {
            tensor.shape.clear();
            let n_images = tensor.values.len() / (n_rows * n_columns);
            tensor.shape.extend([n_images, n_rows, n_columns]);
            return Ok(());
        }
        tensor.values.clear();
    }
    let mut reader = Reader {
        cursor,
        wanted: Wanted::Field(field),
        limits,
        layouts: layouts(field),
        counts: Vec::new(),
        values: &mut tensor.values,
        whole: None,
    };
    reader.read()?;
    reader.shape(field, &mut tensor.shape);
    Ok(())
}

/// Reads an array of exactly this `shape`, or the same numbers in one row, into the empty `values`. Where `whole` names
/// the smallest and the largest, only whole numbers are right.
pub(crate) fn read_exactly(
    cursor: &mut Cursor<'_>,
    path: impl Fn() -> String,
    shape: &[usize],
    whole: Option<(i64, i64)>,
    values: &mut Vec<f32>,
) -> Result<(), TensorError> {
    let n_values: usize = shape.iter().product();
    if whole.is_none() && cursor.row(n_values, values) {
        return Ok(());
    }
    values.clear();
    if let ([n_images, n_rows, n_columns], None) = (shape, whole) {
        let before = cursor.clone();
        if cursor.images((*n_rows, *n_columns), *n_images, values) && values.len() == n_values {
            return Ok(());
        }
        values.clear();
        *cursor = before;
    }
    let mut layouts = vec![Layout(shape.iter().copied().map(Some).collect())];
    if shape.len() > 1 {
        layouts.push(Layout(vec![Some(n_values)]));
    }
    let path = path();
    let mut reader = Reader {
        cursor,
        wanted: Wanted::Exactly(&path, shape),
        // The shape says how many there are.
        limits: Limits { images_max: usize::MAX },
        layouts,
        counts: Vec::new(),
        values,
        whole,
    };
    reader.read()
}

impl Reader<'_, '_> {
    fn read(&mut self) -> Result<(), TensorError> {
        loop {
            if self.cursor.take(b'[') {
                self.open()?;
                if self.cursor.peek() != Some(b']') {
                    continue;
                }
            } else {
                self.number()?;
                self.count()?;
                if self.whole.is_none() {
                    self.more_numbers();
                }
            }
            // A value is complete, and with it perhaps the arrays around it.
            loop {
                if self.counts.is_empty() {
                    return Ok(());
                }
                if self.cursor.has_next(b']', false)? {
                    break;
                }
                self.close()?;
                self.count()?;
            }
        }
    }

    /// Steps into an array.
    fn open(&mut self) -> Result<(), TensorError> {
        let level = self.counts.len();
        self.layouts.retain(|layout| layout.0.len() > level);
        if self.layouts.is_empty() {
            return Err(mismatch(self.path(), "a number", "an array"));
        }
        self.counts.push(0);
        Ok(())
    }

    fn number(&mut self) -> Result<(), TensorError> {
        let level = self.counts.len();
        let Some(text) = self.cursor.number()? else {
            let expected = if self.layouts.iter().any(|layout| layout.0.len() == level) {
                "a number"
            } else {
                "an array"
            };
            return Err(self.cursor.mismatch(&self.path(), expected));
        };
        self.layouts.retain(|layout| layout.0.len() == level);
        if self.layouts.is_empty() {
            return Err(mismatch(self.path(), "an array", format!("`{}`", excerpt(text))));
        }
        if let Some((min, max)) = self.whole {
            let whole = text.parse().ok().filter(|whole: &i64| (min..=max).contains(whole));
            let expected = || format!("a whole number from {min} to {max}");
            let whole = whole.ok_or_else(|| mismatch(self.path(), expected(), format!("`{}`", excerpt(text))))?;
            self.values.push(whole as f32);
            return Ok(());
        }
        let quick = number::read(text.as_bytes()).map(|(value, _)| value);
        match quick.or_else(|| text.parse().ok()) {
            Some(value) if value.is_finite() => self.values.push(value),
            _ => {
                return Err(mismatch(
                    self.path(),
                    "a number within ±3.4e38",
                    format!("`{}`", excerpt(text)),
                ));
            }
        }
        Ok(())
    }

    /// The numbers that follow in the same array, as far as there is nothing to say about them; the rest goes the
    /// ordinary way.
    fn more_numbers(&mut self) {
        let Some(level) = self.counts.len().checked_sub(1) else {
            return;
        };
        let mut lengths = self.layouts.iter().map(|layout| layout.0[level]);
        let length_max = lengths.try_fold(0, |most: usize, length| Some(most.max(length?)));
        let n_max = length_max.unwrap_or(self.limits.images_max);
        let count = &mut self.counts[level];
        *count += self.cursor.more_numbers(n_max.saturating_sub(*count), self.values);
    }

    /// A value of the innermost open array is complete: is there room for it?
    fn count(&mut self) -> Result<(), TensorError> {
        let Some(count) = self.counts.last_mut() else {
            return Ok(());
        };
        *count += 1;
        let (count, level) = (*count, self.counts.len() - 1);
        // The lengths in which there is room for this many: a layout without it may still be in the list.
        let lengths = self.layouts.iter().map(|layout| layout.0[level]);
        let mut lengths = lengths
            .filter(|length| length.is_none_or(|length| count <= length))
            .peekable();
        if lengths.peek().is_none() {
            drop(lengths);
            self.counts.pop();
            return Err(mismatch(self.path(), self.expected(level), "more"));
        }
        if level == 0 && count > self.limits.images_max && lengths.all(|length| length.is_none()) {
            return Err(TensorError::TooMany {
                path: self.wanted.path().to_owned(),
                images_max: self.limits.images_max,
            });
        }
        Ok(())
    }

    /// Steps out of an array: does its length agree with a layout? Later arrays of the level must agree with it.
    fn close(&mut self) -> Result<(), TensorError> {
        let count = self.counts.pop().expect("only an open array is closed");
        let level = self.counts.len();
        let agrees = |layout: &Layout| count > 0 && layout.0[level].is_none_or(|length| length == count);
        if !self.layouts.iter().any(agrees) {
            let found = if count == 0 {
                "none".to_owned()
            } else {
                count.to_string()
            };
            return Err(mismatch(self.path(), self.expected(level), found));
        }
        self.layouts.retain(agrees);
        self.layouts.iter_mut().for_each(|layout| layout.0[level] = Some(count));
        Ok(())
    }

    /// What an array of `level` should hold, such as `28 or 784 numbers`.
    fn expected(&self, level: usize) -> String {
        let depth = self.layouts[0].0.len();
        if self.layouts.iter().any(|layout| layout.0.len() != depth) {
            // Nothing but brackets so far: which layout is meant cannot be told.
            return format!("numbers of shape [{}]", self.wanted.shape());
        }
        let length = |layout: &Layout| layout.0[level].map_or("one or more".to_owned(), |length| length.to_string());
        let lengths: Vec<String> = self.layouts.iter().map(length).collect();
        format!(
            "{} {}",
            lengths.join(" or "),
            if depth == level + 1 { "numbers" } else { "arrays" }
        )
    }

    /// The place of the next value, such as `imgs[3][17]`.
    fn path(&self) -> String {
        self.counts
            .iter()
            .fold(self.wanted.path().to_owned(), |path, index| format!("{path}[{index}]"))
    }

    /// Sets `shape` to that of what was read for `field`.
    fn shape(&self, field: &Field, shape: &mut Vec<usize>) {
        let lengths = self.layouts[0].0.iter().rev().copied().chain(iter::repeat(None));
        // Aligned at the innermost level; a layout that flattens has the lengths of the field itself.
        let aligned = field.shape.iter().rev().zip(lengths);
        shape.clear();
        shape.extend(aligned.map(|(dimension, found)| length(*dimension).or(found).unwrap_or(1)));
        shape.reverse();
        if let [Dimension::Any, ..] = field.shape[..] {
            shape[0] = self.values.len() / shape[1..].iter().product::<usize>();
        }
    }
}

impl Wanted<'_> {
    /// Where the array is.
    fn path(&self) -> &str {
        match self {
            Self::Field(field) => &field.name,
            Self::Exactly(path, _) => path,
        }
    }

    /// Its lengths, as text.
    fn shape(&self) -> String {
        let lengths: Vec<String> = match self {
            Self::Field(field) => field.shape.iter().map(Dimension::to_string).collect(),
            Self::Exactly(_, shape) => shape.iter().map(usize::to_string).collect(),
        };
        lengths.join(", ")
    }
}
