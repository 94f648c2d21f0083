//! What the members of the team do between two meetings.

use super::{
    batch::Batch,
    draw::Draw,
    handover::Handover,
    levels::{LevelBias, LevelGroup, RowLoss},
    lookahead::Lookahead,
    pixel_order::STRIP,
    slab::{Lesson, Slab},
    softmax::Target,
    top::{RowPlaces, Top},
};
use crate::{
    lanes::{Lanes, UNITS},
    simd::{Kernel, Simd},
};

/// How many rows ahead the slabs' shares are requested. Half of them come from another core; a row is worked on for about
/// 120 ns, and a request there and back takes up to 500 ns.
const ROWS_AHEAD: usize = 6;

/// Filling a batch.
pub(crate) struct Gather<'a> {
    pub(crate) batch: &'a mut Batch,
    pub(crate) draw: Draw<'a>,
}

/// The first layer, and each slab's share in the second.
pub(crate) struct Forward<'a> {
    pub(crate) slabs: &'a mut [Slab],
    pub(crate) batch: &'a Batch,
    pub(crate) handover: Handover,
}

/// Some rows of the batch through all other layers and back to the gradients of the second.
pub(crate) struct Rise<'a> {
    pub(crate) top: Top<'a>,
    pub(crate) labels: &'a [u8],
    /// For all rows; the label is that of the row.
    pub(crate) target: Target,
    pub(crate) share: RowShare<'a>,
    /// The next batch is filled meanwhile.
    pub(crate) next: Option<Gather<'a>>,
}

/// Some rows of the batch through all other layers.
pub(crate) struct Evaluate<'a> {
    pub(crate) top: Top<'a>,
    pub(crate) share: RowShare<'a>,
}

/// A member's rows.
pub(crate) struct RowShare<'a> {
    pub(crate) first_row: usize,
    pub(crate) row_lanes: usize,
    pub(crate) row_words: usize,
    pub(crate) values: &'a mut [Lanes],
    pub(crate) gradients: &'a mut [Lanes],
    pub(crate) active: &'a mut [u64],
    pub(crate) losses: &'a mut [RowLoss],
    /// `[2 * row_lanes]`: values and gradients of the row at work.
    pub(crate) scratch: &'a mut [Lanes],
    pub(crate) handover: Handover,
}

/// Gradients and steps of a member's weights, and the forward pass of the next batch: both use the same slabs, and no
/// other member's, so there is no meeting between them.
pub(crate) struct Turn<'a> {
    pub(crate) lesson: Lesson<'a>,
    pub(crate) next: Option<&'a Batch>,
    pub(crate) slabs: &'a mut [Slab],
    /// Whether the last slab comes first. Every other step it does: where not all slabs have room in the cache, those that
    /// were worked on last are still there, and would be driven out by the others if these came first.
    pub(crate) from_last: bool,
    pub(crate) groups: &'a mut [LevelGroup],
    pub(crate) biases: &'a mut [LevelBias],
    /// To be fetched.
    pub(crate) after_next: Option<Draw<'a>>,
    pub(crate) handover: Handover,
}

impl Kernel for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.batch.gather(simd, self.draw);
    }
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for slab in self.slabs {
            slab.forward(simd, self.batch, self.handover);
        }
        self.handover.finish(simd);
    }
}

impl Kernel for Rise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            top,
            labels,
            target,
            mut share,
            next,
        } = self;
        let rows = share.first_row..share.first_row + share.losses.len();
        rows.clone().take(ROWS_AHEAD).for_each(|row| top.prefetch(simd, row));
        for (index, row) in rows.clone().enumerate() {
            if row + ROWS_AHEAD < rows.end {
                top.prefetch(simd, row + ROWS_AHEAD);
            }
            let mut places = share.places(index);
            top.forward(simd, row, &mut places);
            let loss = top.backward(
                simd,
                Target {
                    label: labels[row],
                    ..target
                },
                &mut places,
            );
            share.losses[index] = loss;
            share.hand_over(simd, index);
        }
        share.handover.finish(simd);
        if let Some(next) = next {
            next.run(simd);
        }
    }
}

impl Kernel for Evaluate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { top, mut share } = self;
        for index in 0..share.losses.len() {
            top.forward(simd, share.first_row + index, &mut share.places(index));
            share.hand_over(simd, index);
        }
        share.handover.finish(simd);
    }
}

impl Kernel for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            lesson,
            next,
            slabs,
            from_last,
            groups,
            biases,
            after_next,
            handover,
        } = self;
        let Lesson { step, batch, rows, .. } = lesson;
        let n_rows = batch.n_rows();
        let mut lookahead = Lookahead::new(after_next, slabs.len(), &batch.plan().is_full);
        if !groups.is_empty() {
            lookahead = lookahead.with_levels(rows, n_rows);
        }
        let mut scratch = [[Lanes::ZERO; UNITS]; STRIP];
        // Their turn comes after the first slab, when what they learn from has been fetched.
        let mut levels = Some((groups, biases));
        let n_slabs = slabs.len();
        for index in 0..n_slabs {
            let slab = &mut slabs[if from_last { n_slabs - 1 - index } else { index }];
            slab.backward(simd, lesson, &mut scratch, || lookahead.fetch_some(simd));
            // At once, while the slab's weights are in the cache.
            if let Some(next) = next {
                slab.forward(simd, next, handover);
            }
            if let Some((groups, biases)) = levels.take() {
                for group in groups {
                    group.update(simd, step, rows, n_rows);
                }
                for bias in biases {
                    bias.update(simd, step, rows, n_rows);
                }
            }
        }
        handover.finish(simd);
    }
}

impl RowShare<'_> {
    /// Where row `index` is worked on.
    #[inline(always)]
    fn places(&mut self, index: usize) -> RowPlaces<'_> {
        let (values, gradients) = self.scratch.split_at_mut(self.row_lanes);
        RowPlaces {
            values,
            gradients,
            active: &mut self.active[index * self.row_words..][..self.row_words],
        }
    }

    /// Hands over values and gradients of the row that was worked on as row `index`.
    #[inline(always)]
    fn hand_over<S: Simd>(&mut self, simd: S, index: usize) {
        let (values, gradients) = self.scratch.split_at(self.row_lanes);
        for (row, rows) in [(values, &mut *self.values), (gradients, &mut *self.gradients)] {
            for (from, to) in row.iter().zip(&mut rows[index * self.row_lanes..]) {
                self.handover.store(simd, simd.load(from), to);
            }
        }
    }
}
