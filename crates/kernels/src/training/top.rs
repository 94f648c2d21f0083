//! From the slabs' shares to logits, from logits to loss, and the way back to the second layer, for one row at a time.

use super::{
    group::add_rows,
    levels::{Level, Levels, RowLoss},
    slab::Slab,
    softmax::{self, Target},
};
use crate::{
    lanes::{LANES, Lanes, UNITS},
    simd::Simd,
};

/// The trained numbers that a row meets above the first layer.
#[derive(Clone, Copy)]
pub(crate) struct Top<'a> {
    pub(crate) slabs: &'a [Slab],
    pub(crate) levels: &'a Levels,
}

/// One row's share of `Rows`.
pub(crate) struct RowPlaces<'a> {
    pub(crate) values: &'a mut [Lanes],
    pub(crate) gradients: &'a mut [Lanes],
    pub(crate) active: &'a mut [u64],
}

impl Top<'_> {
    /// Asks for the slabs' shares in row `row`.
    #[inline(always)]
    pub(crate) fn prefetch<S: Simd>(self, simd: S, row: usize) {
        for slab in self.slabs {
            for lane in 0..self.levels.shapes[0].width {
                simd.prefetch(std::slice::from_ref(slab.partial(row, lane)));
            }
        }
    }

    /// Fills values and active sets of row `row` of the batch.
    #[inline(always)]
    pub(crate) fn forward<S: Simd>(self, simd: S, row: usize, places: &mut RowPlaces<'_>) {
        let n_levels = self.levels.shapes.len();
        for (index, level) in self.levels.shapes.iter().enumerate() {
            if index == 0 {
                for lane in 0..level.width {
                    let mut sum = simd.load(&self.levels.biases[0].trained.value[lane]);
                    for slab in self.slabs {
                        sum = simd.add(sum, simd.load(slab.partial(row, lane)));
                    }
                    simd.store(sum, &mut places.values[lane]);
                }
            } else {
                let mut lane = 0;
                while lane + 4 <= level.width {
                    self.sum_level::<S, 4>(simd, index, lane, places);
                    lane += 4;
                }
                while lane < level.width {
                    self.sum_level::<S, 1>(simd, index, lane, places);
                    lane += 1;
                }
            }
            let values = &mut places.values[level.first_lane..][..level.width];
            let active = &mut places.active[level.first_word..];
            if index + 1 < n_levels {
                rectify(simd, values, active);
            } else {
                all_outputs(level, active);
            }
        }
    }

    #[inline(always)]
    fn sum_level<S: Simd, const N: usize>(self, simd: S, index: usize, lane: usize, places: &mut RowPlaces<'_>) {
        let (level, below) = (&self.levels.shapes[index], &self.levels.shapes[index - 1]);
        let bias = &self.levels.biases[index].trained.value[lane..][..N];
        let mut sums = [simd.splat(0.0); N];
        for j in 0..N {
            sums[j] = simd.load(&bias[j]);
        }
        let (values_below, values) = places.values.split_at_mut(level.first_lane);
        for group in &self.levels.groups[level.groups.clone()] {
            let word = places.active[below.first_word + group.index];
            let factors = &values_below[below.first_lane + group.index * 4..];
            sums = add_rows(simd, sums, word, factors, group.group.columns(lane));
        }
        for j in 0..N {
            simd.store(sums[j], &mut values[lane + j]);
        }
    }

    /// The loss of the row, and the gradients of all levels.
    #[inline(always)]
    pub(crate) fn backward<S: Simd>(self, simd: S, target: Target, places: &mut RowPlaces<'_>) -> RowLoss {
        let last = &self.levels.shapes[self.levels.shapes.len() - 1];
        let logits = &places.values[last.first_lane..][..last.width];
        let loss = softmax::gradient(simd, logits, target, &mut places.gradients[last.first_lane..]);
        for index in (1..self.levels.shapes.len()).rev() {
            let (level, below) = (&self.levels.shapes[index], &self.levels.shapes[index - 1]);
            let (gradients_below, gradients) = places.gradients.split_at_mut(level.first_lane);
            let gradients_below = &mut gradients_below[below.first_lane..];
            let words = places.active[level.first_word..]
                .iter()
                .take(level.n_outputs.div_ceil(UNITS));
            for group in &self.levels.groups[level.groups.clone()] {
                let mut sums = [simd.splat(0.0); 4];
                for (word_index, &word) in words.clone().enumerate() {
                    let factors = &gradients[word_index * 4..];
                    sums = add_rows(simd, sums, word, factors, group.group.turned_rows(word_index));
                }
                let active = places.active[below.first_word + group.index];
                let places = gradients_below.iter_mut().skip(group.index * 4);
                for (part, (sum, place)) in sums.into_iter().zip(places).enumerate() {
                    simd.store(simd.keep((active >> (LANES * part)) as u16, sum), place);
                }
            }
        }
        loss
    }
}

/// ReLU, and which outputs it lets through.
#[inline(always)]
fn rectify<S: Simd>(simd: S, values: &mut [Lanes], active: &mut [u64]) {
    let zero = simd.splat(0.0);
    for (places, active) in values.chunks_mut(4).zip(active) {
        *active = 0;
        for (part, place) in places.iter_mut().enumerate() {
            let value = simd.load(place);
            *active |= u64::from(simd.positive(value)) << (part * LANES);
            simd.store(simd.max(value, zero), place);
        }
    }
}

/// Logits have no ReLU: all of them count on the way back.
#[inline(always)]
fn all_outputs(level: &Level, active: &mut [u64]) {
    for (index, word) in active.iter_mut().enumerate().take(level.n_outputs.div_ceil(UNITS)) {
        let n_left = level.n_outputs - index * UNITS;
        *word = if n_left >= UNITS { u64::MAX } else { (1 << n_left) - 1 };
    }
}
