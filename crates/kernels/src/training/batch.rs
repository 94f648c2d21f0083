//! The rows of one training step, laid out for it.

use super::{
    layers::Draw,
    pixel_order::{PixelOrder, QUAD, QUADS_PER_TILE, STRIP},
};
use crate::{
    bits::{members, transpose_bits},
    lanes::{LANES, Lanes},
    simd::Simd,
};

/// The quads of a strip.
const QUADS_PER_STRIP: usize = STRIP * QUADS_PER_TILE;

/// The inputs of some rows as tiles, and for each quad of inputs the set of rows in which it is not all zero.
///
/// It is a buffer to be filled again for every step; a trainer that makes its rows itself keeps two and fills one on
/// another thread while the other is used.
#[derive(Clone, Debug)]
pub struct Batch {
    order: PixelOrder,
    n_rows_max: usize,
    /// `[n_strips, n_words]`. A strip that is all zero in a row may have anything there.
    pixels: Vec<StripBlock>,
    /// `[n_quads, n_words]`; bit `r` of a quad's words is set where the quad is not all zero in row `r`.
    rows_of_quad: Vec<u64>,
    labels: Vec<u8>,
    /// For every input of a tile the index in a natural row, or `n_inputs` for those that do not exist.
    sources: Vec<[u32; LANES]>,
    /// Natural row with one more number, a zero, for the inputs that do not exist.
    row: Vec<f32>,
    plan: Plan,
}

/// The inputs of one strip in 64 rows; a grain has the sixteen inputs of one tile.
pub(crate) type StripBlock = [[Lanes; STRIP]; 64];

/// What a batch looks like strip by strip.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// `[n_strips, n_words]`: the rows that have something in the strip.
    rows_of_strip: Vec<u64>,
    /// `[n_strips]`: whether many rows have something there; it decides which of two ways to compute weight gradients is
    /// taken, see `input_layer`.
    pub(crate) is_full: Vec<bool>,
}

impl Batch {
    /// An empty buffer for up to `n_rows_max` rows.
    ///
    /// # Panics
    /// If rows have no inputs, or if there may be no rows.
    pub fn new(order: PixelOrder, n_rows_max: usize) -> Self {
        assert!(order.n_inputs() > 0, "a row has at least one input: {order:?}");
        assert!(n_rows_max > 0, "a batch has at least one row");
        let none = u32::try_from(order.n_inputs()).expect("fewer than 2^32 inputs");
        let mut sources = vec![[none; LANES]; order.n_strips() * STRIP];
        for (input, slot) in (0..none).zip(order.slots()) {
            sources[slot / LANES][slot % LANES] = input;
        }
        let n_words = n_rows_max.div_ceil(64);
        Self {
            order,
            n_rows_max,
            pixels: vec![[[Lanes::ZERO; STRIP]; 64]; order.n_strips() * n_words],
            rows_of_quad: vec![0; order.n_quad_words() * 64 * n_words],
            labels: Vec::with_capacity(n_rows_max),
            sources,
            row: vec![0.0; order.n_inputs() + 1],
            plan: Plan {
                rows_of_strip: vec![0; order.n_strips() * n_words],
                is_full: vec![false; order.n_strips()],
            },
        }
    }

    /// Takes over rows of any numbers (`[n_rows, n_inputs]`, line by line) and their labels (`[n_rows]`).
    ///
    /// Zeros cost nothing in training, wherever they are: rows with noise may stand beside rows without.
    ///
    /// # Panics
    /// If the numbers of rows differ or are more than the buffer has room for.
    pub fn fill(&mut self, images: &[f32], labels: &[u8]) {
        let n_inputs = self.order.n_inputs();
        assert_eq!(
            images.len(),
            labels.len() * n_inputs,
            "{n_inputs} inputs for each of {} labels",
            labels.len()
        );
        self.start(labels.iter().copied());
        self.rows_of_quad.fill(0);
        let n_words = self.n_words();
        for (index, image) in images.chunks_exact(n_inputs).enumerate() {
            self.row[..n_inputs].copy_from_slice(image);
            for (tile, sources) in self.sources.iter().enumerate() {
                let lanes = Lanes(sources.map(|source| self.row[source as usize]));
                let words = self.rows_of_quad[tile * QUADS_PER_TILE * n_words..].chunks_mut(n_words);
                for (quad, words) in lanes.0.as_chunks::<QUAD>().0.iter().zip(words) {
                    words[index / 64] |= u64::from(*quad != [0.0; QUAD]) << (index % 64);
                }
                self.pixels[tile / STRIP * n_words + index / 64][index % 64][tile % STRIP] = lanes;
            }
        }
        self.make_plan();
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// Takes over prepared rows.
    ///
    /// # Panics
    /// If there are more rows than the buffer has room for, or a row that the samples do not have.
    #[inline(always)]
    pub(crate) fn gather<S: Simd>(&mut self, simd: S, Draw { samples, rows }: Draw<'_>) {
        assert_eq!(samples.order, self.order, "samples and batch have one pixel order");
        self.start(rows.iter().map(|&row| samples.labels[row as usize]));
        let n_words = self.n_words();
        // From a bit per quad for each row to a bit per row for each quad.
        for (quad_word, quads) in self.rows_of_quad.chunks_exact_mut(64 * n_words).enumerate() {
            for word in 0..n_words {
                let mut square = [0; 64];
                for (row, bits) in rows.iter().skip(word * 64).zip(&mut square) {
                    *bits = samples.occupied(*row)[quad_word];
                }
                transpose_bits(&mut square);
                for (quad, bits) in square.into_iter().enumerate() {
                    quads[quad * n_words + word] = bits;
                }
            }
        }
        self.make_plan();
        // Strips that are all zero are left as they are, for nobody looks at them. To ask row by row whether one is would
        // cost more than it saves: the answer comes late, from memory, and is often guessed wrongly.
        let scale = ByteScale::new(simd);
        let words = self.plan.rows_of_strip.iter().zip(&mut self.pixels).enumerate();
        for (index, (&word, block)) in words {
            let (strip, first_row) = (index / n_words, index % n_words * 64);
            for row in members(word) {
                let bytes = samples.strip(rows[first_row + row], strip);
                for tile in 0..STRIP {
                    simd.store(scale.apply(simd.load_bytes(&bytes[tile])), &mut block[row][tile]);
                }
            }
        }
    }

    /// Looks at the batch strip by strip.
    ///
    /// A strip's gradients cost about 16 products for each row and quad by input, and about 9 for each row and tile by unit,
    /// since 15 of 100 units are active; to turn the result then costs about as much as 40 rows more.
    #[inline(always)]
    fn make_plan(&mut self) {
        let n_words = self.n_words();
        let Plan { rows_of_strip, is_full } = &mut self.plan;
        let strips = rows_of_strip.chunks_exact_mut(n_words).zip(is_full);
        for ((rows, is_full), quads) in strips.zip(self.rows_of_quad.chunks_exact(QUADS_PER_STRIP * n_words)) {
            let mut n_visits = 0;
            rows.fill(0);
            for quad in quads.chunks_exact(n_words) {
                for (row, word) in rows.iter_mut().zip(quad) {
                    *row |= word;
                    n_visits += word.count_ones() as usize;
                }
            }
            *is_full = n_visits * 2 > STRIP * self.labels.len();
        }
    }

    pub(crate) fn order(&self) -> PixelOrder {
        self.order
    }

    pub(crate) fn labels(&self) -> &[u8] {
        &self.labels
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// One strip of all rows.
    #[inline(always)]
    pub(crate) fn strip(&self, strip: usize) -> &[StripBlock] {
        &self.pixels[strip * self.n_words()..][..self.n_words()]
    }

    /// The rows in which a strip is not all zero.
    #[inline(always)]
    pub(crate) fn rows_of_strip(&self, strip: usize) -> &[u64] {
        &self.plan.rows_of_strip[strip * self.n_words()..][..self.n_words()]
    }

    /// The rows in which a quad is not all zero.
    #[inline(always)]
    pub(crate) fn rows_of_quad(&self, quad: usize) -> &[u64] {
        &self.rows_of_quad[quad * self.n_words()..][..self.n_words()]
    }

    /// Words that hold one bit for each row.
    #[inline(always)]
    pub(crate) fn n_words(&self) -> usize {
        self.n_rows_max.div_ceil(64)
    }

    fn start(&mut self, labels: impl ExactSizeIterator<Item = u8>) {
        assert!(
            labels.len() <= self.n_rows_max,
            "{} rows in a batch for {}",
            labels.len(),
            self.n_rows_max
        );
        self.labels.clear();
        self.labels.extend(labels);
    }
}

/// Division of bytes by 255 without a division: the rounded quotient by the reciprocal is corrected by its remainder,
/// which a fused multiply-add gives exactly. A test compares all 256 values with the division.
#[derive(Clone, Copy)]
pub(crate) struct ByteScale<S: Simd> {
    simd: S,
    reciprocal: S::Vector,
    divisor: S::Vector,
}

impl<S: Simd> ByteScale<S> {
    #[inline(always)]
    pub(crate) fn new(simd: S) -> Self {
        Self {
            simd,
            reciprocal: simd.splat(1.0 / 255.0),
            divisor: simd.splat(255.0),
        }
    }

    #[inline(always)]
    pub(crate) fn apply(self, bytes: S::Vector) -> S::Vector {
        let quotient = self.simd.mul(bytes, self.reciprocal);
        let remainder = self.simd.neg_mul_add(quotient, self.divisor, bytes);
        self.simd.mul_add(remainder, self.reciprocal, quotient)
    }
}
