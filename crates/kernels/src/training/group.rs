//! Weights between up to 64 units and all units of the next layer, and the three things training does with them. All
//! three skip what is zero: after ReLU, 80 to 94 of 100 units are.

use super::adam::{Adam, Trained};
use crate::{
    bits::members,
    lanes::{LANES, Lanes, UNITS, UnitRow, lanes_for, number},
    simd::Simd,
};

/// The weights that leave one group of up to [`UNITS`] units.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// `[UNITS, width]`, row by row.
    pub(crate) weights: Trained<Lanes>,
    /// `[outputs, UNITS]`, kept equal to the weights: the way back reads them by output.
    pub(crate) turned: Vec<UnitRow>,
    /// Units that exist, from 1 to [`UNITS`].
    pub(crate) n_units: usize,
    /// Grains in a row of weights.
    pub(crate) width: usize,
}

/// Rows of grains in some larger rows.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) lanes: &'a [Lanes],
    /// Grains from one row to the next.
    pub(crate) stride: usize,
    /// Where in the larger row this one begins.
    pub(crate) first: usize,
}

/// What a group saw and what became of it, for all rows of a batch.
#[derive(Clone, Copy)]
pub(crate) struct Signals<'a> {
    /// For each 64 rows: in which of them unit `u` was not zero.
    pub(crate) active: &'a [[u64; UNITS]],
    /// `[n_rows, UNITS]`: outputs of the group's units.
    pub(crate) inputs: View<'a>,
    /// `[n_rows, outputs]`: gradients of the loss by what the weights lead to.
    pub(crate) gradients: View<'a>,
}

impl<'a> View<'a> {
    /// `N` grains of a row.
    #[inline(always)]
    fn block<const N: usize>(self, row: usize) -> &'a [Lanes; N] {
        let begin = row * self.stride + self.first;
        self.lanes[begin..]
            .first_chunk()
            .expect("the row is within the larger rows")
    }

    /// One number of a row.
    #[inline(always)]
    fn number(self, row: usize, index: usize) -> f32 {
        number(&self.lanes[row * self.stride + self.first..], index)
    }

    /// The same rows from a later grain on.
    #[inline(always)]
    fn skip(self, n_lanes: usize) -> Self {
        Self {
            first: self.first + n_lanes,
            ..self
        }
    }
}

/// Adds to `sums`, for each member of the word, the grains of its row of `rows` times its factor.
#[inline(always)]
pub(crate) fn add_rows<S: Simd, const N: usize>(
    simd: S,
    mut sums: [S::Vector; N],
    word: u64,
    factors: &[Lanes],
    rows: View<'_>,
) -> [S::Vector; N] {
    for unit in members(word) {
        let factor = simd.splat(number(factors, unit));
        let row = rows.block::<N>(unit);
        for j in 0..N {
            sums[j] = simd.mul_add(factor, simd.load(&row[j]), sums[j]);
        }
    }
    sums
}

impl Group {
    pub(crate) fn new(n_units: usize, n_outputs: usize) -> Self {
        let width = lanes_for(n_outputs);
        Self {
            weights: Trained::zero(Lanes::ZERO, UNITS * width),
            turned: vec![[Lanes::ZERO; 4]; width * LANES],
            n_units,
            width,
        }
    }

    /// The weights of all units from output grain `first` on.
    #[inline(always)]
    pub(crate) fn columns(&self, first: usize) -> View<'_> {
        View {
            lanes: &self.weights.value,
            stride: self.width,
            first,
        }
    }

    /// The weights of 64 outputs, `word` times 64 on, by output.
    #[inline(always)]
    pub(crate) fn turned_rows(&self, word: usize) -> View<'_> {
        View {
            lanes: self.turned[word * UNITS..].as_flattened(),
            stride: 4,
            first: 0,
        }
    }

    /// Gradients of the weights, and one step of Adam.
    #[inline(always)]
    pub(crate) fn update<S: Simd>(&mut self, simd: S, adam: Adam<S>, signals: Signals<'_>) {
        for unit in 0..self.n_units {
            let mut first = 0;
            while first + 4 <= self.width {
                self.update_block::<S, 4>(simd, adam, signals, (unit, first));
                first += 4;
            }
            while first < self.width {
                self.update_block::<S, 1>(simd, adam, signals, (unit, first));
                first += 1;
            }
        }
        self.turn(simd);
    }

    #[inline(always)]
    fn update_block<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        adam: Adam<S>,
        signals: Signals<'_>,
        (unit, first): (usize, usize),
    ) {
        let mut gradient = [simd.splat(0.0); N];
        let gradients = signals.gradients.skip(first);
        for (index, words) in signals.active.iter().enumerate() {
            for row in members(words[unit]) {
                let row = index * 64 + row;
                let factor = simd.splat(signals.inputs.number(row, unit));
                let row = gradients.block::<N>(row);
                for j in 0..N {
                    gradient[j] = simd.mul_add(factor, simd.load(&row[j]), gradient[j]);
                }
            }
        }
        let begin = unit * self.width + first;
        let Trained {
            value,
            mean,
            mean_square,
        } = &mut self.weights;
        let value = &mut value[begin..][..N];
        let (mean, mean_square) = (&mut mean[begin..][..N], &mut mean_square[begin..][..N]);
        for j in 0..N {
            adam.update_lanes(&mut value[j], (&mut mean[j], &mut mean_square[j]), gradient[j]);
        }
    }

    /// Makes `turned` equal to the weights.
    #[inline(always)]
    pub(crate) fn turn<S: Simd>(&mut self, simd: S) {
        for lane in 0..self.width {
            for part in 0..4 {
                let mut rows = [simd.splat(0.0); LANES];
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = simd.load(&self.weights.value[(part * LANES + i) * self.width + lane]);
                }
                let columns = simd.transpose(rows);
                let turned = &mut self.turned[lane * LANES..][..LANES];
                for i in 0..LANES {
                    simd.store(columns[i], &mut turned[i][part]);
                }
            }
        }
    }
}
