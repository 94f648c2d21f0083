//! What the members of the team do between two meetings.

use super::{
    batch::Batch,
    draw::Draw,
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

/// Filling a batch.
pub(crate) struct Gather<'a> {
    pub(crate) batch: &'a mut Batch,
    pub(crate) draw: Draw<'a>,
}

/// The first layer, and each slab's share in the second.
pub(crate) struct Forward<'a> {
    pub(crate) slabs: &'a mut [Slab],
    pub(crate) batch: &'a Batch,
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
}

/// Gradients and steps of a member's weights, and the forward pass of the next batch: both use the same slabs, and no
/// other member's, so there is no meeting between them.
pub(crate) struct Turn<'a> {
    pub(crate) lesson: Lesson<'a>,
    pub(crate) next: Option<&'a Batch>,
    pub(crate) slabs: &'a mut [Slab],
    pub(crate) groups: &'a mut [LevelGroup],
    pub(crate) biases: &'a mut [LevelBias],
    /// To be fetched.
    pub(crate) after_next: Option<Draw<'a>>,
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
            slab.forward(simd, self.batch);
        }
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
        for index in 0..share.losses.len() {
            let row = share.first_row + index;
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
        }
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
        }
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
            groups,
            biases,
            after_next,
        } = self;
        let Lesson { step, batch, rows, .. } = lesson;
        let n_rows = batch.n_rows();
        for group in groups {
            group.update(simd, step, rows, n_rows);
        }
        for bias in biases {
            bias.update(simd, step, rows, n_rows);
        }
        let mut lookahead = Lookahead::new(after_next, slabs.len(), &batch.plan().is_full);
        let mut scratch = [[Lanes::ZERO; UNITS]; STRIP];
        for slab in slabs {
            slab.backward(simd, lesson, &mut scratch, || lookahead.fetch_some(simd));
            // At once, while the slab's weights are in the cache.
            if let Some(next) = next {
                slab.forward(simd, next);
            }
        }
    }
}

impl RowShare<'_> {
    #[inline(always)]
    fn places(&mut self, index: usize) -> RowPlaces<'_> {
        RowPlaces {
            values: &mut self.values[index * self.row_lanes..][..self.row_lanes],
            gradients: &mut self.gradients[index * self.row_lanes..][..self.row_lanes],
            active: &mut self.active[index * self.row_words..][..self.row_words],
        }
    }
}
