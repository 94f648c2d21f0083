//! The rows of one training step, laid out for it.

use super::{
    draw::{Draw, Row},
    pixel_order::{PixelOrder, QUAD, QUADS_PER_TILE, STRIP},
    samples::ByteStrip,
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
/// It is a buffer to be filled again for every step.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    n_rows_max: usize,
    /// `[n_strips, n_words]`. A strip that is all zero in a row may have anything there.
    pixels: Vec<StripBlock>,
    /// `[n_quads, n_words]`; bit `r` of a quad's words is set where the quad is not all zero in row `r`.
    rows_of_quad: Vec<u64>,
    labels: Vec<u8>,
    /// For each place of a row the input that lies there, or `n_inputs` where none does.
    sources: Vec<u32>,
    /// `[n_quad_words]`: scratch, which quads are not all zero in each of 64 rows.
    squares: Vec<[u64; 64]>,
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
    pub(crate) fn new(order: PixelOrder, n_rows_max: usize) -> Self {
        assert!(order.n_inputs() > 0, "a row has at least one input: {order:?}");
        assert!(n_rows_max > 0, "a batch has at least one row");
        let n_words = n_rows_max.div_ceil(64);
        Self {
            n_rows_max,
            pixels: vec![[[Lanes::ZERO; STRIP]; 64]; order.n_strips() * n_words],
            rows_of_quad: vec![0; order.n_quad_words() * 64 * n_words],
            labels: Vec::with_capacity(n_rows_max),
            sources: order.sources(),
            squares: vec![[0; 64]; order.n_quad_words()],
            plan: Plan {
                rows_of_strip: vec![0; order.n_strips() * n_words],
                is_full: vec![false; order.n_strips()],
            },
        }
    }

    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// Takes over rows.
    ///
    /// # Panics
    /// If there are more rows than the buffer has room for, or one that the sources do not have.
    #[inline(always)]
    pub(crate) fn gather<S: Simd>(&mut self, simd: S, Draw { sources, rows }: Draw<'_>) {
        assert!(
            rows.len() <= self.n_rows_max,
            "{} rows in a batch for {}",
            rows.len(),
            self.n_rows_max
        );
        self.labels.clear();
        self.labels.extend(rows.iter().map(|&row| sources.label(row)));
        let mut blocks = rows.chunks(64);
        for word in 0..self.n_words() {
            let rows = blocks.next().unwrap_or_default();
            self.gather_block(simd, word, rows.iter().map(|&row| sources.row(row)));
        }
        self.count_visits();
    }

    /// Takes over up to 64 rows, whose bits are in word `word` of each set.
    #[inline(always)]
    fn gather_block<'a, S: Simd>(&mut self, simd: S, word: usize, rows: impl Iterator<Item = Row<'a>>) {
        let mut bytes: [&[ByteStrip]; 64] = [&[]; 64];
        let mut bytes_rows = 0;
        self.squares.fill([0; 64]);
        for (index, row) in rows.enumerate() {
            match row {
                Row::Bytes { strips, occupied } => {
                    bytes[index] = strips;
                    bytes_rows |= 1 << index;
                    for (square, &bits) in self.squares.iter_mut().zip(occupied) {
                        square[index] = bits;
                    }
                }
                Row::Floats(inputs) => self.place_floats(word, index, inputs),
            }
        }
        let n_words = self.n_words();
        // From a bit per quad for each row to a bit per row for each quad.
        let quads = self.rows_of_quad.chunks_exact_mut(64 * n_words);
        for (square, quads) in self.squares.iter_mut().zip(quads) {
            transpose_bits(square);
            for (bits, quad) in square.iter().zip(quads.chunks_exact_mut(n_words)) {
                quad[word] = *bits;
            }
        }
        // Strips that few rows fill (to judge by the last batch) were not fetched ahead of time: which rows have something
        // there is known only now. They come first, so they are taken over last.
        let strips = self.rows_of_quad.chunks_exact(QUADS_PER_STRIP * n_words);
        let sets = self.plan.rows_of_strip.chunks_exact_mut(n_words);
        for (strip, (quads, rows)) in strips.zip(sets).enumerate() {
            rows[word] = quads.chunks_exact(n_words).fold(0, |rows, quad| rows | quad[word]);
            if !self.plan.is_full[strip] {
                for row in members(rows[word] & bytes_rows) {
                    simd.prefetch(&bytes[row][strip]);
                    simd.prefetch(&bytes[row][strip][STRIP - 1]);
                }
            }
        }
        // Strips that are all zero are left as they are, for nobody looks at them. To ask row by row whether one is would
        // cost more than it saves: the answer comes late, from memory, and is often guessed wrongly.
        let scale = ByteScale::new(simd);
        let places = self.pixels.chunks_exact_mut(n_words);
        let sets = self.plan.rows_of_strip.chunks_exact(n_words);
        for (strip, (places, rows)) in places.zip(sets).enumerate().rev() {
            for row in members(rows[word] & bytes_rows) {
                let bytes = &bytes[row][strip];
                for tile in 0..STRIP {
                    simd.store(scale.apply(simd.load_bytes(&bytes[tile])), &mut places[word][row][tile]);
                }
            }
        }
    }

    /// Takes over the inputs of one row, and notes where they are not zero.
    #[inline(always)]
    fn place_floats(&mut self, word: usize, row: usize, inputs: &[f32]) {
        let n_words = self.n_words();
        for (tile, sources) in self.sources.as_chunks::<LANES>().0.iter().enumerate() {
            let lanes = Lanes(sources.map(|source| inputs.get(source as usize).copied().unwrap_or(0.0)));
            for (index, quad) in lanes.0.as_chunks::<QUAD>().0.iter().enumerate() {
                let quad_index = tile * QUADS_PER_TILE + index;
                self.squares[quad_index / 64][row] |= u64::from(*quad != [0.0; QUAD]) << (quad_index % 64);
            }
            self.pixels[tile / STRIP * n_words + word][row][tile % STRIP] = lanes;
        }
    }

    /// Finds the strips in which many rows have something.
    ///
    /// A strip's gradients cost about 16 products for each row and quad by input, and about 9 for each row and tile by unit,
    /// since 15 of 100 units are active; to turn the result then costs about as much as 40 rows more.
    #[inline(always)]
    fn count_visits(&mut self) {
        let strips = self
            .rows_of_quad
            .chunks_exact(QUADS_PER_STRIP * self.n_rows_max.div_ceil(64));
        for (is_full, quads) in self.plan.is_full.iter_mut().zip(strips) {
            let n_visits: usize = quads.iter().map(|word| word.count_ones() as usize).sum();
            *is_full = n_visits * 2 > STRIP * self.labels.len();
        }
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
