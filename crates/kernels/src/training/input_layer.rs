//! The first layer: by far the largest matrix, met by rows that are mostly zero.
//!
//! **Forward**, weights stay and rows pass by. The weights of one quad of inputs (4 × 64 numbers) are loaded into
//! registers once and are added, times the inputs, to the sums of all rows that have something in this quad. So each
//! weight is read once a step, whatever the batch size, and the sums (32 KB for 128 rows) stay in the first-level cache.
//!
//! **Backward** there are two ways, with the same additions in the same order and so the same bits:
//! - where most rows have something, *by unit*: a unit is active in 6 to 20 of 100 rows, and only for these the inputs
//!   of a strip of five tiles are added to its 80 gradients. The result lies by unit, the weights by input, so it is
//!   turned while it is in the cache;
//! - where few rows have something (the rim of an image), *by input*: the forward way with gradients for weights.
//!
//! In both, a gradient meets its weights and moments at once ([`Adam`]) and is gone: the matrix of gradients, as large as
//! the weights, is never written or read.

use super::{
    adam::{Adam, AdamStep, Trained},
    batch::{Batch, StripBlock},
    pixel_order::{QUAD, QUADS_PER_TILE, STRIP},
};
use crate::{
    bits::members,
    lanes::{LANES, Lanes, UNITS, UnitRow, number},
    simd::{Simd, transpose},
};

/// The first layer's weights that lead to 64 units: `[n_slots, UNITS]`.
pub(crate) type InputWeights = Trained<UnitRow>;

/// Outputs or gradients of 64 units in 64 rows: as many as a word of row bits speaks of.
pub(crate) type RowBlock = [UnitRow; 64];

/// Gradients of one strip, by tile and unit: sixteen inputs in a grain.
pub(crate) type StripGradients = [[Lanes; UNITS]; STRIP];

const QUADS_PER_STRIP: usize = STRIP * QUADS_PER_TILE;

/// Sets `sums` (`[n_rows, UNITS]`) to bias plus inputs times weights.
#[inline(always)]
pub(crate) fn forward<S: Simd>(simd: S, weights: &[UnitRow], bias: &UnitRow, batch: &Batch, sums: &mut [RowBlock]) {
    let bias = [
        simd.load(&bias[0]),
        simd.load(&bias[1]),
        simd.load(&bias[2]),
        simd.load(&bias[3]),
    ];
    for sums in &mut sums.as_flattened_mut()[..batch.n_rows()] {
        for part in 0..4 {
            simd.store(bias[part], &mut sums[part]);
        }
    }
    for (quad, weights) in weights.as_chunks::<QUAD>().0.iter().enumerate() {
        let passing = Passing::new(batch, quad);
        if passing.is_empty() {
            continue;
        }
        // Sixteen vectors of weights only where there are registers for them.
        if S::MANY_REGISTERS {
            add_quad::<S, 4>(simd, weights, 0, passing, sums);
        } else {
            for part in 0..4 {
                add_quad::<S, 1>(simd, weights, part, passing, sums);
            }
        }
    }
}

/// The rows that have something in one quad.
#[derive(Clone, Copy)]
struct Passing<'a> {
    rows: &'a [u64],
    strip: &'a [StripBlock],
    /// The quad's place in its strip: tile and quad in the tile.
    place: (usize, usize),
}

impl<'a> Passing<'a> {
    #[inline(always)]
    fn new(batch: &'a Batch, quad: usize) -> Self {
        let place = (quad % QUADS_PER_STRIP / QUADS_PER_TILE, quad % QUADS_PER_TILE);
        Self {
            rows: batch.rows_of_quad(quad),
            strip: batch.strip(quad / QUADS_PER_STRIP),
            place,
        }
    }

    #[inline(always)]
    fn is_empty(self) -> bool {
        self.rows.iter().all(|word| *word == 0)
    }

    #[inline(always)]
    fn inputs(self, block: usize, row: usize) -> &'a [f32; QUAD] {
        &self.strip[block][row][self.place.0].0.as_chunks().0[self.place.1]
    }
}

/// Adds the products of one quad for the units of `N` grains, from grain `part` on.
#[inline(always)]
fn add_quad<S: Simd, const N: usize>(
    simd: S,
    weights: &[UnitRow; QUAD],
    part: usize,
    passing: Passing<'_>,
    sums: &mut [RowBlock],
) {
    let mut held = [[simd.splat(0.0); N]; QUAD];
    for i in 0..QUAD {
        for j in 0..N {
            held[i][j] = simd.load(&weights[i][part + j]);
        }
    }
    for ((index, &word), sums) in passing.rows.iter().enumerate().zip(sums) {
        for row in members(word) {
            let inputs = passing.inputs(index, row);
            let places = &mut sums[row];
            let mut sums = [simd.splat(0.0); N];
            for j in 0..N {
                sums[j] = simd.load(&places[part + j]);
            }
            for i in 0..QUAD {
                let input = simd.splat(inputs[i]);
                for j in 0..N {
                    sums[j] = simd.mul_add(input, held[i][j], sums[j]);
                }
            }
            for j in 0..N {
                simd.store(sums[j], &mut places[part + j]);
            }
        }
    }
}

/// What the layer's gradient is made of.
#[derive(Clone, Copy)]
pub(crate) struct Backward<'a> {
    pub(crate) step: AdamStep,
    pub(crate) batch: &'a Batch,
    /// For each 64 rows: in which of them unit `u` was active.
    pub(crate) active: &'a [[u64; UNITS]],
    /// `[n_rows, UNITS]`: zero where a unit was not active.
    pub(crate) gradients: &'a [RowBlock],
    /// Quads that were ever not all zero; the weights of others have zero moments.
    pub(crate) seen: &'a [bool],
}

impl Backward<'_> {
    /// Gradients and one step of Adam. `between` is called before each strip that is computed by unit.
    ///
    /// Goes from the last strip to the first, since the forward pass that follows begins at the first.
    #[inline(always)]
    pub(crate) fn update<S: Simd>(
        self,
        simd: S,
        weights: &mut InputWeights,
        scratch: &mut StripGradients,
        mut between: impl FnMut(),
    ) {
        let adam = Adam::new(simd, self.step);
        let plan = self.batch.plan();
        for (strip, is_full) in plan.is_full.iter().enumerate().rev() {
            if *is_full {
                between();
                self.strip_gradients(simd, strip, scratch);
                for (tile, gradients) in scratch.iter().enumerate() {
                    update_tile(simd, adam, weights, strip * STRIP + tile, gradients);
                }
            } else {
                for quad in (strip * QUADS_PER_STRIP..(strip + 1) * QUADS_PER_STRIP).rev() {
                    self.update_quad(simd, adam, weights, quad);
                }
            }
        }
    }

    /// By input: one quad.
    #[inline(always)]
    fn update_quad<S: Simd>(self, simd: S, adam: Adam<S>, weights: &mut InputWeights, quad: usize) {
        if !self.seen[quad] {
            adam.decay(weights.value[quad * QUAD..][..QUAD].as_flattened_mut());
        } else if S::MANY_REGISTERS {
            self.update_quad_units::<S, 4>(simd, adam, weights, (quad, 0));
        } else {
            for part in 0..4 {
                self.update_quad_units::<S, 1>(simd, adam, weights, (quad, part));
            }
        }
    }

    /// By unit: the gradients of one strip.
    #[inline(always)]
    fn strip_gradients<S: Simd>(self, simd: S, strip: usize, scratch: &mut StripGradients) {
        let rows = self.batch.rows_of_strip(strip);
        let blocks = self.batch.strip(strip).iter().zip(self.gradients);
        for unit in 0..UNITS {
            let mut sums = [simd.splat(0.0); STRIP];
            for ((active, word), (inputs, gradients)) in self.active.iter().zip(rows).zip(blocks.clone()) {
                for row in members(active[unit] & word) {
                    let inputs = &inputs[row];
                    let gradient = simd.splat(number(&gradients[row], unit));
                    for tile in 0..STRIP {
                        sums[tile] = simd.mul_add(gradient, simd.load(&inputs[tile]), sums[tile]);
                    }
                }
            }
            for tile in 0..STRIP {
                simd.store(sums[tile], &mut scratch[tile][unit]);
            }
        }
    }

    /// By input: the gradients of one quad for the units of `N` grains from grain `part` on, and their step.
    #[inline(always)]
    fn update_quad_units<S: Simd, const N: usize>(
        self,
        simd: S,
        adam: Adam<S>,
        weights: &mut InputWeights,
        (quad, part): (usize, usize),
    ) {
        let passing = Passing::new(self.batch, quad);
        let mut sums = [[simd.splat(0.0); N]; QUAD];
        for ((index, &word), gradients) in passing.rows.iter().enumerate().zip(self.gradients) {
            for row in members(word) {
                let gradients = &gradients[row];
                let inputs = passing.inputs(index, row);
                for i in 0..QUAD {
                    let input = simd.splat(inputs[i]);
                    for j in 0..N {
                        sums[i][j] = simd.mul_add(input, simd.load(&gradients[part + j]), sums[i][j]);
                    }
                }
            }
        }
        let (value, mean, mean_square) = rows_of::<QUAD>(weights, quad);
        for i in 0..QUAD {
            for j in 0..N {
                let moments = (&mut mean[i][part + j], &mut mean_square[i][part + j]);
                adam.update_lanes(&mut value[i][part + j], moments, sums[i][j]);
            }
        }
    }
}

/// Turns the gradients of one tile from by unit to by input, and takes one step with them.
#[inline(always)]
fn update_tile<S: Simd>(simd: S, adam: Adam<S>, weights: &mut InputWeights, tile: usize, gradients: &[Lanes; UNITS]) {
    let (value, mean, mean_square) = rows_of::<LANES>(weights, tile);
    for (part, units) in gradients.as_chunks::<LANES>().0.iter().enumerate() {
        let columns = transpose(simd, units);
        for i in 0..LANES {
            let moments = (&mut mean[i][part], &mut mean_square[i][part]);
            adam.update_lanes(&mut value[i][part], moments, columns[i]);
        }
    }
}

/// The `index`th `N` rows of weights and of both moments.
#[inline(always)]
fn rows_of<const N: usize>(
    weights: &mut InputWeights,
    index: usize,
) -> (&mut [UnitRow; N], &mut [UnitRow; N], &mut [UnitRow; N]) {
    let Trained {
        value,
        mean,
        mean_square,
    } = weights;
    (
        &mut value.as_chunks_mut().0[index],
        &mut mean.as_chunks_mut().0[index],
        &mut mean_square.as_chunks_mut().0[index],
    )
}
