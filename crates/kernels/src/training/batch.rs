//! The rows of one training step, laid out for it.

use super::{
    pieces::{first_unit, pieces},
    pixel_order::{PixelOrder, QUAD, QUADS_PER_TILE, STRIP},
    samples::Samples,
};
use crate::{
    bits::transpose_bits,
    lanes::{LANES, Lanes},
    simd::Simd,
};

/// The quads of a strip.
const QUADS_PER_STRIP: usize = STRIP * QUADS_PER_TILE;

/// The inputs of some rows as tiles, and for each quad of inputs the set of rows in which it is not all zero.
///
/// It is a buffer to be filled again for every step; a trainer that makes its rows itself keeps two and fills one on
/// another thread while the other is used.
#[derive(Debug)]
pub struct Batch {
    order: PixelOrder,
    n_rows_max: usize,
    /// `[n_strips, n_rows_max]`; a grain has the sixteen inputs of one tile.
    pixels: Vec<[Lanes; STRIP]>,
    /// `[n_quads, n_words]`; bit `r` of a quad's words is set where the quad is not all zero in row `r`.
    rows_of_quad: Vec<u64>,
    labels: Vec<u8>,
    /// For every input of a tile the index in a natural row, or `n_inputs` for those that do not exist.
    sources: Vec<[u32; LANES]>,
    /// Natural row with one more number, a zero, for the inputs that do not exist.
    row: Vec<f32>,
    plan: Plan,
}

/// Rows between the one that is being copied and the one that is being fetched from the outer caches.
const AHEAD: usize = 6;

/// Which of the two ways to compute weight gradients is cheaper for each strip of this batch; see `input_layer`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Many rows have something here.
    pub(crate) full_strips: Vec<usize>,
    /// `[n_full_strips, n_words]`: the rows that have something in the strip.
    pub(crate) rows_of_strip: Vec<u64>,
    /// Few rows have something here.
    pub(crate) sparse_strips: Vec<usize>,
}

/// The part of a batch that one member of the team fills.
pub(crate) struct Gathering<'a> {
    samples: &'a Samples,
    rows: &'a [u32],
    n_words: usize,
    first_strip: usize,
    /// `[n_strips, n_rows_max]`
    pixels: &'a mut [[Lanes; STRIP]],
    n_rows_max: usize,
    first_quad_word: usize,
    rows_of_quad: &'a mut [u64],
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
            pixels: vec![[Lanes::ZERO; STRIP]; order.n_strips() * n_rows_max],
            rows_of_quad: vec![0; order.n_quad_words() * 64 * n_words],
            labels: Vec::with_capacity(n_rows_max),
            sources,
            row: vec![0.0; order.n_inputs() + 1],
            plan: Plan {
                full_strips: Vec::with_capacity(order.n_strips()),
                rows_of_strip: Vec::with_capacity(order.n_strips() * n_words),
                sparse_strips: Vec::with_capacity(order.n_strips()),
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
                self.pixels[tile / STRIP * self.n_rows_max + index][tile % STRIP] = lanes;
            }
        }
        self.make_plan();
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// Takes over the labels of prepared rows and hands out the rest of the work in `n` parts, of which each has to be
    /// [`Gathering::run`]; then [`Batch::make_plan`] has to be called.
    ///
    /// # Panics
    /// If there are more rows than the buffer has room for, or a row that the samples do not have.
    pub(crate) fn gather<'a>(
        &'a mut self,
        samples: &'a Samples,
        rows: &'a [u32],
        n: usize,
    ) -> impl Iterator<Item = Gathering<'a>> {
        assert_eq!(samples.order, self.order, "samples and batch have one pixel order");
        self.start(rows.iter().map(|&row| samples.labels[row as usize]));
        let (n_rows_max, n_words) = (self.n_rows_max, self.n_words());
        let (n_strips, n_quad_words) = (self.order.n_strips(), self.order.n_quad_words());
        let parts = pieces(&mut self.pixels, n_rows_max, n).zip(pieces(&mut self.rows_of_quad, 64 * n_words, n));
        parts.enumerate().map(move |(part, (pixels, rows_of_quad))| Gathering {
            samples,
            rows,
            n_words,
            first_strip: first_unit(part, n_strips, n),
            pixels,
            n_rows_max,
            first_quad_word: first_unit(part, n_quad_words, n),
            rows_of_quad,
        })
    }

    /// Sorts the strips by how many rows have something in them. Decides only about time, not about results.
    ///
    /// By input costs about 16 products for each row and quad, by unit about 9 for each row of the strip and tile, since
    /// 15 of 100 units are active; turning the result costs about as much as 40 rows more.
    pub(crate) fn make_plan(&mut self) {
        let n_words = self.n_words();
        let Plan {
            full_strips,
            rows_of_strip,
            sparse_strips,
        } = &mut self.plan;
        full_strips.clear();
        rows_of_strip.clear();
        sparse_strips.clear();
        let quads = self.rows_of_quad.chunks_exact(QUADS_PER_STRIP * n_words);
        for (strip, words) in quads.enumerate().take(self.order.n_strips()) {
            let n_visits: u32 = words.iter().map(|word| word.count_ones()).sum();
            if n_visits as usize * 2 <= STRIP * self.labels.len() {
                sparse_strips.push(strip);
                continue;
            }
            full_strips.push(strip);
            let first = rows_of_strip.len();
            rows_of_strip.extend_from_slice(&words[..n_words]);
            for quad in words.chunks_exact(n_words).skip(1) {
                for (any, word) in rows_of_strip[first..].iter_mut().zip(quad) {
                    *any |= word;
                }
            }
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
    pub(crate) fn strip(&self, strip: usize) -> &[[Lanes; STRIP]] {
        &self.pixels[strip * self.n_rows_max..][..self.labels.len()]
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

impl Gathering<'_> {
    #[inline(always)]
    pub(crate) fn run<S: Simd>(self, simd: S) {
        let n_strips = self.pixels.len() / self.n_rows_max;
        let scale = ByteScale::new(simd);
        for (index, &row) in self.rows.iter().enumerate() {
            if let Some(&later) = self.rows.get(index + AHEAD) {
                self.samples
                    .prefetch(simd, later, self.first_strip..self.first_strip + n_strips);
            }
            let strips = self.samples.strips(row, self.first_strip..self.first_strip + n_strips);
            let places = self.pixels.iter_mut().skip(index).step_by(self.n_rows_max);
            for (bytes, places) in strips.iter().zip(places) {
                for tile in 0..STRIP {
                    simd.store(scale.apply(simd.load_bytes(&bytes[tile])), &mut places[tile]);
                }
            }
        }
        // From a bit per quad for each row to a bit per row for each quad.
        let n_words = self.n_words;
        for (offset, quads) in self.rows_of_quad.chunks_exact_mut(64 * n_words).enumerate() {
            for word in 0..n_words {
                let mut square = [0; 64];
                for (row, bits) in self.rows.iter().skip(word * 64).zip(&mut square) {
                    *bits = self.samples.occupied(*row)[self.first_quad_word + offset];
                }
                transpose_bits(&mut square);
                for (quad, bits) in square.into_iter().enumerate() {
                    quads[quad * n_words + word] = bits;
                }
            }
        }
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
