//! The layers above the first: small matrices, of which every member of the team handles some rows of the batch on the
//! way up, and some weights on the way down.

use std::ops::Range;

use super::{
    adam::{Adam, AdamStep, Trained},
    group::{Group, Signals, View},
};
use crate::{
    bits::transpose_bits,
    lanes::{Lanes, UNITS, lanes_for},
    simd::Simd,
};

/// All layers above the first; level 0 is the second layer, whose weights belong to the slabs.
#[derive(Debug)]
pub(crate) struct Levels {
    pub(crate) shapes: Vec<Level>,
    /// Of level 1, then of level 2 and so on.
    pub(crate) groups: Vec<LevelGroup>,
    /// One for each level.
    pub(crate) biases: Vec<LevelBias>,
}

/// Where a level lies in the rows.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    pub(crate) n_outputs: usize,
    /// Grains of its outputs.
    pub(crate) width: usize,
    /// The first of these in a row of values or gradients.
    pub(crate) first_lane: usize,
    /// The first of its words in a row of `active`.
    pub(crate) first_word: usize,
    /// Its weights in [`Levels::groups`]; none at level 0.
    pub(crate) groups: Range<usize>,
}

/// Weights from up to 64 units of the level below to one level.
#[derive(Debug)]
pub(crate) struct LevelGroup {
    pub(crate) level: usize,
    /// Which 64 units of the level below.
    pub(crate) index: usize,
    pub(crate) group: Group,
    /// For each 64 rows: in which of them unit `u` was active.
    active: Vec<[u64; UNITS]>,
}

/// The biases of one level, `[width]`.
#[derive(Debug)]
pub(crate) struct LevelBias {
    pub(crate) level: usize,
    pub(crate) trained: Trained<Lanes>,
}

/// What the levels make of each row of a batch; all levels of a row lie together, so that rows can be dealt out.
#[derive(Debug)]
pub(crate) struct Rows {
    /// `[n_rows, row_lanes]`: outputs, after ReLU but for the last level.
    pub(crate) values: Vec<Lanes>,
    /// `[n_rows, row_lanes]`: gradients of the loss by the sums before ReLU.
    pub(crate) gradients: Vec<Lanes>,
    /// `[n_rows, row_words]`: a bit for each output that is above zero; for all outputs at the last level.
    pub(crate) active: Vec<u64>,
    /// `[n_rows]`
    pub(crate) losses: Vec<RowLoss>,
    pub(crate) row_lanes: usize,
    pub(crate) row_words: usize,
    /// `[n_members, 2 * row_lanes]`
    pub(crate) scratch: Vec<Lanes>,
    shapes: Vec<Level>,
}

/// The loss of one row is `ln(sum) + gap`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowLoss {
    /// Sum of the exponentials of the logits, after the greatest is taken off.
    pub(crate) sum: f32,
    /// How far the target's logit lies below the greatest.
    pub(crate) gap: f32,
}

impl Levels {
    /// Levels with these numbers of outputs, the second layer's first.
    pub(crate) fn new(n_outputs: &[usize], n_rows_max: usize) -> Self {
        let mut levels = Self {
            shapes: Vec::new(),
            groups: Vec::new(),
            biases: Vec::new(),
        };
        let (mut first_lane, mut first_word) = (0, 0);
        for (level, &n_outputs) in n_outputs.iter().enumerate() {
            let n_inputs = levels.shapes.last().map_or(0, |below| below.n_outputs);
            let first_group = levels.groups.len();
            levels
                .groups
                .extend((0..n_inputs.div_ceil(UNITS)).map(|index| LevelGroup {
                    level,
                    index,
                    group: Group::new(UNITS.min(n_inputs - index * UNITS), n_outputs),
                    active: vec![[0; UNITS]; n_rows_max.div_ceil(64)],
                }));
            let width = lanes_for(n_outputs);
            levels.biases.push(LevelBias {
                level,
                trained: Trained::zero(Lanes::ZERO, width),
            });
            let groups = first_group..levels.groups.len();
            levels.shapes.push(Level {
                n_outputs,
                width,
                first_lane,
                first_word,
                groups,
            });
            first_lane += width;
            first_word += n_outputs.div_ceil(UNITS);
        }
        levels
    }
}

impl Rows {
    pub(crate) fn new(levels: &Levels, n_rows_max: usize, n_members: usize) -> Self {
        let row_lanes = levels.shapes.iter().map(|level| level.width).sum();
        let row_words = levels.shapes.iter().map(|level| level.n_outputs.div_ceil(UNITS)).sum();
        Self {
            values: vec![Lanes::ZERO; n_rows_max * row_lanes],
            gradients: vec![Lanes::ZERO; n_rows_max * row_lanes],
            active: vec![0; n_rows_max * row_words],
            losses: vec![RowLoss::default(); n_rows_max],
            scratch: vec![Lanes::ZERO; n_members * 2 * row_lanes],
            row_lanes,
            row_words,
            shapes: levels.shapes.clone(),
        }
    }

    /// The gradients of one level.
    #[inline(always)]
    pub(crate) fn gradients_of(&self, level: usize) -> View<'_> {
        View {
            lanes: &self.gradients,
            stride: self.row_lanes,
            first: self.shapes[level].first_lane,
        }
    }

    /// The gradients of level 0 in one row, and which of its outputs are active.
    #[inline(always)]
    pub(crate) fn gradients_and_active(&self, row: usize) -> (&[Lanes], &[u64]) {
        let n_words = self.shapes[0].n_outputs.div_ceil(UNITS);
        (
            &self.gradients[row * self.row_lanes..],
            &self.active[row * self.row_words..][..n_words],
        )
    }

    /// The mean loss of the first `n_rows` rows.
    ///
    /// The logarithm of a product of up to 64 sums stands for the sum of their logarithms: a sum is at most 256, so the
    /// product is at most 2^512, and a `f64` holds that.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "computed in f64, used as f32"
    )]
    pub(crate) fn mean_loss(&self, n_rows: usize) -> f32 {
        let losses = &self.losses[..n_rows];
        let gaps: f64 = losses.iter().map(|loss| f64::from(loss.gap)).sum();
        let products = losses
            .chunks(64)
            .map(|rows| rows.iter().map(|loss| f64::from(loss.sum)).product::<f64>());
        ((gaps + products.map(f64::ln).sum::<f64>()) / n_rows as f64) as f32
    }
}

impl LevelGroup {
    /// Gradients of the weights, and one step.
    #[inline(always)]
    pub(crate) fn update<S: Simd>(&mut self, simd: S, step: AdamStep, rows: &Rows, n_rows: usize) {
        let below = &rows.shapes[self.level - 1];
        for (word, square) in self.active.iter_mut().enumerate() {
            for (bit, units) in square.iter_mut().enumerate() {
                let row = word * 64 + bit;
                let place = row * rows.row_words + below.first_word + self.index;
                *units = if row < n_rows { rows.active[place] } else { 0 };
            }
            transpose_bits(square);
        }
        let first = below.first_lane + self.index * 4;
        let inputs = View {
            lanes: &rows.values,
            stride: rows.row_lanes,
            first,
        };
        let signals = Signals {
            active: &self.active,
            inputs,
            gradients: rows.gradients_of(self.level),
        };
        self.group.update(simd, Adam::new(simd, step), signals);
    }
}

impl LevelBias {
    /// Gradients of the biases, and one step.
    #[inline(always)]
    pub(crate) fn update<S: Simd>(&mut self, simd: S, step: AdamStep, rows: &Rows, n_rows: usize) {
        let adam = Adam::new(simd, step).without_decay();
        let first = rows.shapes[self.level].first_lane;
        for lane in 0..self.trained.value.len() {
            let mut sum = simd.splat(0.0);
            for row in rows.gradients.chunks_exact(rows.row_lanes).take(n_rows) {
                sum = simd.add(sum, simd.load(&row[first + lane]));
            }
            adam.update(&mut self.trained, lane, sum);
        }
    }
}
