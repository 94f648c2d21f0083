//! Bringing near, while something else is computed, what is wanted later.

use std::{ops::Range, slice};

use super::{draw::Draw, levels::Rows};
use crate::{lanes::Lanes, simd::Simd};

/// What a member will want that is not near: the rows that the batch after next will be made of, and what the levels'
/// weights learn from.
///
/// The rows are drawn from a data set far larger than any cache, and half of what the levels made of the batch comes
/// from other members. Requested all at once, all that would queue up before the memory and hold up the loads of the
/// step itself; so it is spread over the way back through the slabs.
pub(crate) struct Lookahead<'a> {
    draw: Option<Draw<'a>>,
    /// The strips that most rows fill; the others come late, but few are wanted.
    strips: Range<usize>,
    /// Rows of the draw at each stop.
    pace: usize,
    /// Values and gradients of the levels.
    levels: [slice::Iter<'a, Lanes>; 2],
    /// Grains of each of the two at each stop.
    levels_pace: usize,
    /// Full strips.
    n_stops: usize,
}

impl<'a> Lookahead<'a> {
    /// These rows, if there are any, spread over the full strips of `n_slabs` slabs.
    pub(crate) fn new(draw: Option<Draw<'a>>, n_slabs: usize, is_full: &[bool]) -> Self {
        let first = is_full.iter().position(|is_full| *is_full).unwrap_or(0);
        let end = is_full.iter().rposition(|is_full| *is_full).map_or(0, |last| last + 1);
        let n_rows = draw.map_or(0, |draw| draw.rows.len());
        let n_stops = is_full.iter().filter(|is_full| **is_full).count().max(1);
        Self {
            draw,
            strips: first..end,
            pace: n_rows.div_ceil(n_slabs * n_stops),
            levels: Default::default(),
            levels_pace: 0,
            n_stops,
        }
    }

    /// And the first `n_rows` of these rows, spread over the full strips of one slab.
    pub(crate) fn with_levels(self, rows: &'a Rows, n_rows: usize) -> Self {
        let n_lanes = n_rows * rows.row_lanes;
        Self {
            levels: [&rows.values, &rows.gradients].map(|lanes| lanes[..n_lanes].iter()),
            levels_pace: n_lanes.div_ceil(self.n_stops),
            ..self
        }
    }

    /// Requests the next of both.
    #[inline(always)]
    pub(crate) fn fetch_some<S: Simd>(&mut self, simd: S) {
        if let Some(Draw { sources, rows }) = &mut self.draw {
            let (now, later) = rows.split_at(self.pace.min(rows.len()));
            *rows = later;
            for &row in now {
                sources.prefetch(simd, row, self.strips.clone());
            }
        }
        for lanes in &mut self.levels {
            for grain in lanes.by_ref().take(self.levels_pace) {
                simd.prefetch(slice::from_ref(grain));
            }
        }
    }
}
