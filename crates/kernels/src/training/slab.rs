//! Sixty-four hidden units of the first layer and everything that belongs to them alone.
//!
//! A slab has one owner in a team. All its large data, weights and moments of the first layer above all, stay in that
//! owner's cache for the whole training; only `partial` is read by others.

use super::{
    adam::{Adam, AdamStep, Trained},
    batch::Batch,
    group::{Group, Signals, View, add_rows},
    handover::Handover,
    input_layer::{self, Backward, InputWeights, RowBlock, StripGradients},
    levels::Rows,
};
use crate::{
    bits::transpose_bits,
    lanes::{LANES, Lanes, UNITS, UnitRow},
    simd::Simd,
};

/// Units of the first layer with the weights that lead to them and away from them.
#[derive(Debug)]
pub(crate) struct Slab {
    /// `[n_slots, UNITS]`
    pub(crate) input_weights: InputWeights,
    /// One row.
    pub(crate) bias: Trained<UnitRow>,
    /// To the second layer.
    pub(crate) group: Group,
    /// `[n_rows, UNITS]`: outputs of the units, after ReLU where they are active and not of interest elsewhere.
    sums: Vec<RowBlock>,
    /// `[n_rows, UNITS]`: gradients of the loss by the units' sums.
    gradients: Vec<RowBlock>,
    /// For each 64 rows, by row after the forward pass: which units are active; by unit after the backward pass.
    active: Vec<[u64; UNITS]>,
    /// `[n_rows, width]`: the slab's share in the sums of the second layer.
    partial: Vec<Lanes>,
}

/// What the slabs learn from.
#[derive(Clone, Copy)]
pub(crate) struct Lesson<'a> {
    pub(crate) step: AdamStep,
    pub(crate) batch: &'a Batch,
    /// Quads of inputs that were ever not all zero.
    pub(crate) seen: &'a [bool],
    /// With the gradients of the second layer.
    pub(crate) rows: &'a Rows,
}

impl Slab {
    pub(crate) fn new(n_slots: usize, n_units: usize, n_outputs: usize, n_rows_max: usize) -> Self {
        let group = Group::new(n_units, n_outputs);
        Self {
            input_weights: Trained::zero([Lanes::ZERO; 4], n_slots),
            bias: Trained::zero([Lanes::ZERO; 4], 1),
            sums: vec![[[Lanes::ZERO; 4]; 64]; n_rows_max.div_ceil(64)],
            gradients: vec![[[Lanes::ZERO; 4]; 64]; n_rows_max.div_ceil(64)],
            active: vec![[0; UNITS]; n_rows_max.div_ceil(64)],
            partial: vec![Lanes::ZERO; n_rows_max * group.width],
            group,
        }
    }

    /// One grain of the slab's share in the second layer's sums of a row.
    #[inline(always)]
    pub(crate) fn partial(&self, row: usize, lane: usize) -> &Lanes {
        &self.partial[row * self.group.width + lane]
    }

    /// The first layer, and the slab's share in the second.
    #[inline(always)]
    pub(crate) fn forward<S: Simd>(&mut self, simd: S, batch: &Batch, handover: Handover) {
        let n_rows = batch.n_rows();
        let bias = self.bias.value[0];
        input_layer::forward(simd, &self.input_weights.value, &bias, batch, &mut self.sums);
        for row in 0..self.active.len() * 64 {
            let active = if row < n_rows {
                positive_units(simd, &self.sums[row / 64][row % 64])
            } else {
                0
            };
            self.active[row / 64][row % 64] = active;
        }
        for row in 0..n_rows {
            let mut lane = 0;
            while lane + 4 <= self.group.width {
                self.add_partial::<S, 4>(simd, handover, (row, lane));
                lane += 4;
            }
            while lane < self.group.width {
                self.add_partial::<S, 1>(simd, handover, (row, lane));
                lane += 1;
            }
        }
    }

    #[inline(always)]
    fn add_partial<S: Simd, const N: usize>(&mut self, simd: S, handover: Handover, (row, lane): (usize, usize)) {
        let word = self.active[row / 64][row % 64];
        let sums = add_rows(
            simd,
            [simd.splat(0.0); N],
            word,
            &self.sums[row / 64][row % 64],
            self.group.columns(lane),
        );
        let places = &mut self.partial[row * self.group.width + lane..][..N];
        for j in 0..N {
            handover.store(simd, sums[j], &mut places[j]);
        }
    }

    /// Gradients of the units, then gradients and steps of all weights of the slab. `between` is called now and then.
    #[inline(always)]
    pub(crate) fn backward<S: Simd>(
        &mut self,
        simd: S,
        lesson: Lesson<'_>,
        scratch: &mut StripGradients,
        between: impl FnMut(),
    ) {
        let Lesson {
            step,
            batch,
            seen,
            rows,
        } = lesson;
        let adam = Adam::new(simd, step);
        let bias_gradient = self.unit_gradients(simd, batch.n_rows(), rows);
        let Trained {
            value,
            mean,
            mean_square,
        } = &mut self.bias;
        for part in 0..4 {
            let moments = (&mut mean[0][part], &mut mean_square[0][part]);
            adam.without_decay()
                .update_lanes(&mut value[0][part], moments, bias_gradient[part]);
        }
        self.active.iter_mut().for_each(transpose_bits);
        let inputs = View {
            lanes: self.sums.as_flattened().as_flattened(),
            stride: 4,
            first: 0,
        };
        let signals = Signals {
            active: &self.active,
            inputs,
            gradients: rows.gradients_of(0),
        };
        self.group.update(simd, adam, signals);
        let backward = Backward {
            step,
            batch,
            active: &self.active,
            gradients: &self.gradients,
            seen,
        };
        backward.update(simd, &mut self.input_weights, scratch, between);
    }

    /// Sets the gradients of the units; returns their sums over all rows.
    #[inline(always)]
    fn unit_gradients<S: Simd>(&mut self, simd: S, n_rows: usize, rows: &Rows) -> [S::Vector; 4] {
        let mut totals = [simd.splat(0.0); 4];
        for row in 0..n_rows {
            let (above, active_above) = rows.gradients_and_active(row);
            let mut sums = [simd.splat(0.0); 4];
            for (index, &word) in active_above.iter().enumerate() {
                sums = add_rows(simd, sums, word, &above[index * 4..], self.group.turned_rows(index));
            }
            let active = self.active[row / 64][row % 64];
            for part in 0..4 {
                let gradient = simd.keep((active >> (LANES * part)) as u16, sums[part]);
                totals[part] = simd.add(totals[part], gradient);
                simd.store(gradient, &mut self.gradients[row / 64][row % 64][part]);
            }
        }
        totals
    }
}

/// A bit for each unit, set where its sum is above zero.
#[inline(always)]
fn positive_units<S: Simd>(simd: S, sums: &UnitRow) -> u64 {
    let mut units = 0;
    for (part, lanes) in sums.iter().enumerate() {
        units |= u64::from(simd.positive(simd.load(lanes))) << (LANES * part);
    }
    units
}
