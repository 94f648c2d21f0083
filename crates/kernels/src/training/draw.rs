//! The rows a step may be made of, and those it is made of.

use std::ops::Range;

use super::samples::{ByteStrip, Samples};
use crate::simd::Simd;

/// Rows that the samples do not hold, made for some steps: moved images, noisy ones.
///
/// They are numbered behind the samples, the bytes first: with `n` samples and `m` rows of bytes, row `n + k` is row `k`
/// of the bytes and row `n + m + k` is row `k` of the floats. Zeros cost nothing in either, so a row that is as sparse as
/// the samples is as fast.
#[derive(Clone, Copy, Debug)]
pub struct Extra<'a> {
    /// Rows of bytes (`[n_rows, n_inputs]`, line by line; 255 stands for 1.0).
    pub bytes: &'a [u8],
    /// The labels of the bytes (`[n_rows]`).
    pub bytes_labels: &'a [u8],
    /// Rows of any numbers (`[n_rows, n_inputs]`, line by line).
    pub floats: &'a [f32],
    /// The labels of the floats (`[n_rows]`).
    pub floats_labels: &'a [u8],
}

impl Extra<'_> {
    /// No rows but the samples.
    pub const NONE: Self = Self {
        bytes: &[],
        bytes_labels: &[],
        floats: &[],
        floats_labels: &[],
    };
}

/// All rows that can be drawn.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) samples: &'a Samples,
    /// The bytes of [`Extra`], prepared.
    pub(crate) moved: &'a Samples,
    pub(crate) floats: &'a [f32],
    pub(crate) floats_labels: &'a [u8],
}

/// The rows that a batch is to be made of.
#[derive(Clone, Copy)]
pub(crate) struct Draw<'a> {
    pub(crate) sources: Sources<'a>,
    pub(crate) rows: &'a [u32],
}

/// What is known of one row.
pub(crate) enum Row<'a> {
    Bytes {
        strips: &'a [ByteStrip],
        /// A bit for each quad, set where it is not all zero.
        occupied: &'a [u64],
    },
    /// As it came.
    Floats(&'a [f32]),
}

impl<'a> Sources<'a> {
    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub(crate) fn row(self, row: u32) -> Row<'a> {
        match self.find(row) {
            (Some(samples), index) => Row::Bytes {
                strips: samples.strips(index),
                occupied: samples.occupied(index),
            },
            (None, index) => {
                let n_inputs = self.samples.order.n_inputs();
                Row::Floats(&self.floats[index * n_inputs..][..n_inputs])
            }
        }
    }

    /// # Panics
    /// If there is no such row.
    #[inline(always)]
    pub(crate) fn label(self, row: u32) -> u8 {
        match self.find(row) {
            (Some(samples), index) => samples.label(index),
            (None, index) => self.floats_labels[index],
        }
    }

    /// Asks for some strips of a row of bytes. Rows of floats lie in the order in which they are drawn, which the
    /// processor notices by itself.
    #[inline(always)]
    pub(crate) fn prefetch<S: Simd>(self, simd: S, row: u32, strips: Range<usize>) {
        if let (Some(samples), index) = self.find(row) {
            samples.prefetch(simd, index, strips);
        }
    }

    /// The bytes that a row belongs to, none if it is one of the floats, and its place there.
    #[inline(always)]
    fn find(self, row: u32) -> (Option<&'a Samples>, usize) {
        let row = row as usize;
        let (n_samples, n_moved) = (self.samples.n_rows(), self.moved.n_rows());
        if row < n_samples {
            (Some(self.samples), row)
        } else if row < n_samples + n_moved {
            (Some(self.moved), row - n_samples)
        } else {
            (None, row - n_samples - n_moved)
        }
    }
}
