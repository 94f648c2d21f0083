//! Byte pixels, prepared once for being drawn from again and again.

use std::ops::Range;

use super::{
    pieces::{first_unit, pieces},
    pixel_order::{PixelOrder, QUAD, STRIP},
};
use crate::{
    lanes::LANES,
    simd::{Kernel, Simd},
};

/// Bytes that come with one request to memory.
const CACHE_LINE: usize = 64;

/// The bytes of one strip of a row.
pub(crate) type ByteStrip = [[u8; LANES]; STRIP];

/// Images as bytes in the order in which training wants them, and their labels.
///
/// A step draws its rows at random. Turning 128 rows of plain pixels into tiles costs a fifth of the whole step; from
/// here, where the pixels lie in tiles and are known to be zero or not, it costs a tenth. The price is one copy of the
/// data set in bytes.
#[derive(Debug)]
pub struct Samples {
    pub(crate) order: PixelOrder,
    /// For each byte of a prepared row its index in a natural row, or `n_inputs` for those that do not exist.
    sources: Vec<u32>,
    n_strips: usize,
    n_quad_words: usize,
    /// `[n_rows, n_strips]`
    pixels: Vec<ByteStrip>,
    /// `[n_rows, n_quad_words]`: bit `q` is set where quad `q` is not all zero.
    occupied: Vec<u64>,
    labels: Vec<u8>,
}

/// The preparation of some rows.
pub(crate) struct Prepare<'a> {
    sources: &'a [u32],
    n_inputs: usize,
    /// `[n_rows, n_inputs]`
    natural: &'a [u8],
    n_strips: usize,
    pixels: &'a mut [ByteStrip],
    n_quad_words: usize,
    occupied: &'a mut [u64],
}

impl Samples {
    /// Prepares `pixels` (`[n_rows, n_inputs]`, line by line; 255 stands for 1.0) and their `labels` (`[n_rows]`).
    ///
    /// # Panics
    /// If the numbers of rows differ.
    pub fn new(order: PixelOrder, pixels: &[u8], labels: &[u8]) -> Self {
        let mut samples = Self::empty(order);
        for part in samples.replace(pixels, labels, 1) {
            part.prepare();
        }
        samples
    }

    /// No rows.
    pub(crate) fn empty(order: PixelOrder) -> Self {
        Self {
            order,
            sources: order.sources(),
            n_strips: order.n_strips(),
            n_quad_words: order.n_quad_words(),
            pixels: Vec::new(),
            occupied: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Takes over other rows in place of those that are there; each of the `n` parts that come back has to be run.
    /// Memory is taken only for more rows than there ever were.
    ///
    /// # Panics
    /// If the numbers of rows differ.
    pub(crate) fn replace<'a>(
        &'a mut self,
        pixels: &'a [u8],
        labels: &[u8],
        n: usize,
    ) -> impl Iterator<Item = Prepare<'a>> {
        let (n_inputs, n_rows) = (self.order.n_inputs(), labels.len());
        assert_eq!(
            pixels.len(),
            n_rows * n_inputs,
            "{n_inputs} pixels for each of {n_rows} labels"
        );
        self.labels.clear();
        self.labels.extend_from_slice(labels);
        self.pixels.resize(n_rows * self.n_strips, [[0; LANES]; STRIP]);
        self.occupied.resize(n_rows * self.n_quad_words, 0);
        let (sources, n_strips, n_quad_words) = (&self.sources, self.n_strips, self.n_quad_words);
        let parts = pieces(&mut self.pixels, n_strips, n).zip(pieces(&mut self.occupied, n_quad_words, n));
        parts.enumerate().map(move |(part, (strips, occupied))| {
            let natural = first_unit(part, n_rows, n) * n_inputs..first_unit(part + 1, n_rows, n) * n_inputs;
            Prepare {
                sources,
                n_inputs,
                natural: &pixels[natural],
                n_strips,
                pixels: strips,
                n_quad_words,
                occupied,
            }
        })
    }

    /// How many images there are.
    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    #[inline(always)]
    pub(crate) fn label(&self, row: usize) -> u8 {
        self.labels[row]
    }

    /// All strips of a row.
    #[inline(always)]
    pub(crate) fn strips(&self, row: usize) -> &[ByteStrip] {
        &self.pixels[row * self.n_strips..][..self.n_strips]
    }

    /// One bit for each quad of a row, set where it is not all zero.
    #[inline(always)]
    pub(crate) fn occupied(&self, row: usize) -> &[u64] {
        &self.occupied[row * self.n_quad_words..][..self.n_quad_words]
    }

    /// Asks for some strips of a row, and for the row's bits.
    #[inline(always)]
    pub(crate) fn prefetch<S: Simd>(&self, simd: S, row: usize, strips: Range<usize>) {
        simd.prefetch(self.occupied(row));
        let strips = &self.strips(row)[strips];
        for line in strips.as_flattened().as_flattened().chunks(CACHE_LINE) {
            simd.prefetch(line);
        }
    }
}

impl Prepare<'_> {
    #[inline(always)]
    fn prepare(self) {
        let places = self
            .pixels
            .chunks_exact_mut(self.n_strips)
            .zip(self.occupied.chunks_exact_mut(self.n_quad_words));
        for (natural, (strips, occupied)) in self.natural.chunks_exact(self.n_inputs).zip(places) {
            let tiled = strips.as_flattened_mut().as_flattened_mut();
            for (place, &source) in tiled.iter_mut().zip(self.sources) {
                *place = natural.get(source as usize).copied().unwrap_or(0);
            }
            let quads = tiled.as_chunks::<QUAD>().0;
            for (word, quads) in occupied.iter_mut().zip(quads.chunks(64)) {
                *word = quads
                    .iter()
                    .rev()
                    .fold(0, |bits, quad| (bits << 1) | u64::from(*quad != [0; QUAD]));
            }
        }
    }
}

impl Kernel for Prepare<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.prepare();
    }
}
