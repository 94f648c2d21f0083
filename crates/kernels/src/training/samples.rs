//! A data set of byte pixels, prepared once for being drawn from again and again.

use std::ops::Range;

use super::pixel_order::{PixelOrder, QUAD, STRIP};
use crate::{lanes::LANES, simd::Simd};

/// Bytes that come with one request to memory.
const CACHE_LINE: usize = 64;

/// Images as bytes in the order in which training wants them, and their labels.
///
/// A step draws its rows at random. Turning 128 rows of plain `f32` pixels into tiles costs a third of the whole step;
/// from here, where the pixels lie in tiles and are known to be zero or not, it costs a tenth. The price is one copy of
/// the data set in bytes. Rows that no data set holds, such as shifted or noisy ones, go through
/// [`Batch::fill`](super::batch::Batch::fill).
#[derive(Debug)]
pub struct Samples {
    pub(crate) order: PixelOrder,
    n_strips: usize,
    /// `[n_rows, n_strips]`
    pixels: Vec<[[u8; LANES]; STRIP]>,
    /// `[n_rows, n_quad_words]`: bit `q` is set where quad `q` is not all zero.
    occupied: Vec<u64>,
    pub(crate) labels: Vec<u8>,
}

impl Samples {
    /// Prepares `pixels` (`[n_rows, n_inputs]`, line by line; 255 stands for 1.0) and their `labels` (`[n_rows]`).
    ///
    /// # Panics
    /// If the numbers of rows differ.
    pub fn new(order: PixelOrder, pixels: &[u8], labels: &[u8]) -> Self {
        let n_inputs = order.n_inputs();
        assert_eq!(
            pixels.len(),
            labels.len() * n_inputs,
            "{n_inputs} pixels for each of {} labels",
            labels.len()
        );
        let (n_strips, n_words) = (order.n_strips(), order.n_quad_words());
        let slots = order.slots();
        let mut samples = Self {
            order,
            n_strips,
            pixels: vec![[[0; LANES]; STRIP]; labels.len() * n_strips],
            occupied: vec![0; labels.len() * n_words],
            labels: labels.to_vec(),
        };
        let rows = samples
            .pixels
            .chunks_exact_mut(n_strips)
            .zip(samples.occupied.chunks_exact_mut(n_words));
        for (row, (strips, occupied)) in pixels.chunks_exact(n_inputs).zip(rows) {
            let tiled = strips.as_flattened_mut().as_flattened_mut();
            for (&pixel, &slot) in row.iter().zip(&slots) {
                tiled[slot] = pixel;
            }
            for (index, quad) in tiled.as_chunks::<QUAD>().0.iter().enumerate() {
                occupied[index / 64] |= u64::from(*quad != [0; QUAD]) << (index % 64);
            }
        }
        samples
    }

    /// How many images there are.
    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// The bytes of one strip of a row.
    #[inline(always)]
    pub(crate) fn strip(&self, row: u32, strip: usize) -> &[[u8; LANES]; STRIP] {
        &self.pixels[row as usize * self.n_strips + strip]
    }

    /// One bit for each quad of a row, set where it is not all zero.
    #[inline(always)]
    pub(crate) fn occupied(&self, row: u32) -> &[u64] {
        let n_words = self.occupied.len() / self.labels.len();
        &self.occupied[row as usize * n_words..][..n_words]
    }

    /// Asks for some strips of a row, and for the row's bits.
    #[inline(always)]
    pub(crate) fn prefetch<S: Simd>(&self, simd: S, row: u32, strips: Range<usize>) {
        simd.prefetch(self.occupied(row));
        let first = row as usize * self.n_strips;
        let strips = &self.pixels[first + strips.start..first + strips.end];
        for line in strips.as_flattened().as_flattened().chunks(CACHE_LINE) {
            simd.prefetch(line);
        }
    }
}
