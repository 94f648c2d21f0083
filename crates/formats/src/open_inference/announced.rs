//! A tensor that a client announces by name, type and shape, held against the signature before a number of it is read.

use std::fmt;

use super::element::InputType;
use crate::{
    excerpt::excerpt,
    signature::{Dimension, Field, Signature},
    tensor::{
        Limits, Request, Tensor, TensorError,
        array::read_exactly,
        cursor::Cursor,
        layout::{Layout, layouts, length},
        mismatch,
    },
};

/// What a number must be that a file or a message holds.
const FINITE: &str = "a number within ±3.4e38";

/// What a client says of a tensor besides its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// Where it says so, such as `inputs[0]`.
    pub place: Place<'a>,
    /// Which input it is.
    pub name: &'a str,
    /// The type of its elements.
    pub datatype: &'a str,
    /// Its lengths.
    pub shape: &'a [i64],
}

/// Where a client says something of a tensor; written down only for those who are told what is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// The whole body.
    Body,
    /// An entry of a list, such as `inputs[0]`.
    Entry(&'static str, usize),
    /// The entry of a map, such as `inputs.imgs`.
    Key(&'static str, &'a str),
}

/// A tensor that goes with an input of the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced<'a> {
    /// Where the client announces it, such as `inputs[0]`.
    pub place: Place<'a>,
    /// The number of the input.
    pub input: usize,
    /// The type in which the numbers come.
    pub element: InputType,
    /// The shape as the client sees it.
    pub shape: Vec<usize>,
    /// The shape as the signature sees it, where that is another one.
    fitted: Option<Vec<usize>>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => formatter.write_str("body"),
            Self::Entry(list, index) => write!(formatter, "{list}[{index}]"),
            Self::Key(map, key) => write!(formatter, "{map}.{key}"),
        }
    }
}

impl<'a> Announced<'a> {
    /// Understands what a client says of a tensor.
    ///
    /// For an input of shape `[-1, 28, 28]` the shapes `[N, 28, 28]`, `[28, 28]`, `[N, 784]`, `[784]`, `[N, 28, 28, 1]`
    /// and `[28, 28, 1]` go with it.
    ///
    /// Errors: a name that no input has; a type or shape that does not go with it.
    pub fn new(head: Head<'a>, signature: &Signature, limits: Limits) -> Result<Self, TensorError> {
        let Head {
            place,
            name,
            datatype,
            shape,
        } = head;
        let input = signature.inputs.iter().position(|field| field.name == name);
        let input = input.ok_or_else(|| {
            let names: Vec<String> = signature
                .inputs
                .iter()
                .map(|field| format!("`{}`", field.name))
                .collect();
            mismatch(
                format!("{place}.name"),
                names.join(" or "),
                format!("`{}`", excerpt(name)),
            )
        })?;
        let element = InputType::of(datatype).ok_or_else(|| {
            let names = InputType::ALL.map(|element| format!("`{}`", element.name()));
            let found = format!("`{}`", excerpt(datatype));
            mismatch(format!("{place}.datatype"), names.join(", "), found)
        })?;
        let (shape, fitted) = fit(place, &signature.inputs[input], shape, limits)?;
        Ok(Self {
            place,
            input,
            element,
            shape,
            fitted,
        })
    }

    /// How many numbers it has.
    pub fn n_values(&self) -> usize {
        self.shape.iter().product()
    }

    /// Reads the numbers from JSON.
    pub(crate) fn read_json(&self, cursor: &mut Cursor<'_>, request: &mut Request) -> Result<(), TensorError> {
        let tensor = self.claim(request)?;
        let path = || format!("{}.data", self.place);
        read_exactly(cursor, path, &self.shape, self.element.whole(), &mut tensor.values)
    }

    /// Whether that many bytes are what its numbers take; `path` is where the client says so.
    pub(super) fn expect_bytes(&self, path: impl Fn() -> String, n_bytes: usize) -> Result<(), TensorError> {
        let expected = self.n_values() * self.element.n_bytes();
        if n_bytes == expected {
            return Ok(());
        }
        Err(mismatch(
            path(),
            format!("{expected} bytes"),
            format!("{n_bytes} bytes"),
        ))
    }

    /// Reads the numbers from their bytes, found at `path`.
    ///
    /// Errors: more or fewer bytes than the shape has numbers; a number that is not finite.
    pub fn read_bytes(
        &self,
        path: impl Fn() -> String,
        bytes: &[u8],
        request: &mut Request,
    ) -> Result<(), TensorError> {
        self.expect_bytes(&path, bytes.len())?;
        let tensor = self.claim(request)?;
        self.element.append(bytes, &mut tensor.values);
        all_finite(path, &tensor.values)
    }

    /// Takes over numbers that were understood already, found at `path`.
    ///
    /// Errors: more or fewer numbers than the shape has; a number that is not finite.
    pub fn take_numbers(
        &self,
        path: impl Fn() -> String,
        numbers: impl ExactSizeIterator<Item = f32>,
        request: &mut Request,
    ) -> Result<(), TensorError> {
        if numbers.len() != self.n_values() {
            let found = numbers.len().to_string();
            return Err(mismatch(path(), format!("{} numbers", self.n_values()), found));
        }
        let tensor = self.claim(request)?;
        tensor.values.extend(numbers);
        all_finite(path, &tensor.values)
    }

    /// Takes over whole numbers that were understood already, found at `path`.
    ///
    /// Errors: more or fewer numbers than the shape has; one that the type does not have.
    pub fn take_whole(
        &self,
        path: impl Fn() -> String,
        numbers: impl ExactSizeIterator<Item = i64> + Clone,
        request: &mut Request,
    ) -> Result<(), TensorError> {
        if let Some((min, max)) = self.element.whole()
            && let Some((index, number)) = numbers
                .clone()
                .enumerate()
                .find(|(_, number)| !(min..=max).contains(number))
        {
            let expected = format!("a whole number from {min} to {max}");
            return Err(mismatch(
                format!("{}[{index}]", path()),
                expected,
                format!("`{number}`"),
            ));
        }
        self.take_numbers(path, numbers.map(|number| number as f32), request)
    }

    /// The place for its numbers, which nobody may have filled before.
    fn claim<'r>(&self, request: &'r mut Request) -> Result<&'r mut Tensor, TensorError> {
        let tensor = &mut request.inputs[self.input];
        if !tensor.values.is_empty() {
            return Err(mismatch(format!("{}.name", self.place), "each input once", "one twice"));
        }
        tensor.shape.clone_from(self.fitted.as_ref().unwrap_or(&self.shape));
        Ok(tensor)
    }
}

/// Makes `request` one for `signature` of which nothing was read yet.
pub fn begin(request: &mut Request, signature: &Signature) {
    let inputs = &mut request.inputs;
    inputs.resize_with(signature.inputs.len(), Tensor::default);
    inputs.iter_mut().for_each(|input| input.values.clear());
}

/// Whether every input was read.
pub fn finish(request: &Request, signature: &Signature) -> Result<(), TensorError> {
    let mut inputs = signature.inputs.iter().zip(&request.inputs);
    match inputs.find(|(_, tensor)| tensor.values.is_empty()) {
        Some((field, _)) => Err(mismatch("inputs", format!("`{}`", field.name), "no such input")),
        None => Ok(()),
    }
}

fn all_finite(path: impl Fn() -> String, values: &[f32]) -> Result<(), TensorError> {
    // Without an early end many are looked at together.
    if values
        .iter()
        .fold(true, |are_finite, value| are_finite & value.is_finite())
    {
        return Ok(());
    }
    let index = values.iter().position(|value| !value.is_finite()).unwrap_or_default();
    Err(mismatch(format!("{}[{index}]", path()), FINITE, "one that is not"))
}

/// The shape as numbers, and what the signature makes of it, where that is another one.
fn fit(
    place: Place<'_>,
    field: &Field,
    shape: &[i64],
    limits: Limits,
) -> Result<(Vec<usize>, Option<Vec<usize>>), TensorError> {
    let path = || format!("{place}.shape");
    let no_fit = || {
        let forms: Vec<String> = forms(field).iter().map(|form| written(&form.0)).collect();
        let found: Vec<String> = shape.iter().take(8).map(i64::to_string).collect();
        let more = if shape.len() > 8 { ", …" } else { "" };
        mismatch(path(), forms.join(" or "), format!("[{}{more}]", found.join(", ")))
    };
    let lengths = shape
        .iter()
        .map(|&length| usize::try_from(length).ok().filter(|length| *length > 0));
    let lengths: Vec<usize> = lengths.collect::<Option<_>>().ok_or_else(no_fit)?;
    // Nearly everybody sends the shape of the signature, so the others are only then written down.
    let is_whole = goes_with(field.shape.iter().map(|dimension| length(*dimension)), &lengths);
    let form = match is_whole {
        true => None,
        false => {
            let mut forms = forms(field).into_iter();
            let form = forms.find(|form| goes_with(form.0.iter().copied(), &lengths));
            Some(form.ok_or_else(no_fit)?)
        }
    };
    let has_images = match &form {
        None => field.shape.first() == Some(&Dimension::Any),
        Some(form) => form.0.first() == Some(&None),
    };
    if has_images && lengths[0] > limits.images_max {
        return Err(TensorError::TooMany {
            path: path(),
            images_max: limits.images_max,
        });
    }
    let n_values = lengths
        .iter()
        .try_fold(1_usize, |product, length| product.checked_mul(*length));
    let n_values = n_values.ok_or_else(no_fit)?;
    if is_whole {
        return Ok((lengths, None));
    }
    // The images are what the lengths of one of them leave of all numbers.
    let mut fitted: Vec<usize> = field
        .shape
        .iter()
        .map(|dimension| length(*dimension).unwrap_or(1))
        .collect();
    if let Some(Dimension::Any) = field.shape.first() {
        fitted[0] = n_values / fitted.iter().product::<usize>();
    }
    Ok((lengths, Some(fitted)))
}

/// Whether these lengths are a shape of this form.
fn goes_with(form: impl ExactSizeIterator<Item = Option<usize>>, lengths: &[usize]) -> bool {
    let is_as_long = form.len() == lengths.len();
    is_as_long
        && form
            .zip(lengths)
            .all(|(form, length)| form.is_none_or(|form| form == *length))
}

/// Every shape in which a tensor may come for `field`: those of JSON, and the same with a channel behind the columns.
fn forms(field: &Field) -> Vec<Layout> {
    let mut forms = layouts(field);
    let (batch, item) = field
        .shape
        .split_at(usize::from(field.shape.first() == Some(&Dimension::Any)));
    if item.contains(&Dimension::Any) {
        // Nothing can be left out of a shape, or flattened, where the lengths of an item are not known.
        forms.truncate(1);
    } else if item.len() > 1 {
        let channel = Dimension::Fixed(1);
        let of = |batch: &[Dimension]| Layout(batch.iter().chain(item).chain([&channel]).map(|d| length(*d)).collect());
        forms.push(of(batch));
        if !batch.is_empty() {
            forms.push(of(&[]));
        }
    }
    forms
}

fn written(form: &[Option<usize>]) -> String {
    let lengths: Vec<String> = form
        .iter()
        .map(|length| length.map_or("N".to_owned(), |length| length.to_string()))
        .collect();
    format!("[{}]", lengths.join(", "))
}
