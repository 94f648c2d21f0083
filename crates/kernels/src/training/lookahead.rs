//! Bringing the rows of a later batch near while the current one is computed.

use std::ops::Range;

use super::draw::Draw;
use crate::simd::Simd;

/// The rows that the batch after next will be made of.
///
/// Rows are drawn from a data set far larger than any cache. Requested all at once they would queue up before the
/// memory and hold up the loads of the step itself; so they are spread over it.
pub(crate) struct Lookahead<'a> {
    draw: Option<Draw<'a>>,
    /// The strips that most rows fill; the others come late, but few are wanted.
    strips: Range<usize>,
    pace: usize,
}

impl<'a> Lookahead<'a> {
    /// These rows, if there are any, spread over the full strips of `n_slabs` slabs.
    pub(crate) fn new(draw: Option<Draw<'a>>, n_slabs: usize, is_full: &[bool]) -> Self {
        let first = is_full.iter().position(|is_full| *is_full).unwrap_or(0);
        let end = is_full.iter().rposition(|is_full| *is_full).map_or(0, |last| last + 1);
        let n_rows = draw.map_or(0, |draw| draw.rows.len());
        let n_stops = n_slabs * is_full.iter().filter(|is_full| **is_full).count();
        Self {
            draw,
            strips: first..end,
            pace: n_rows.div_ceil(n_stops.max(1)),
        }
    }

    /// Requests the next rows.
    #[inline(always)]
    pub(crate) fn fetch_some<S: Simd>(&mut self, simd: S) {
        if let Some(Draw { sources, rows }) = &mut self.draw {
            let (now, later) = rows.split_at(self.pace.min(rows.len()));
            *rows = later;
            for &row in now {
                sources.prefetch(simd, row, self.strips.clone());
            }
        }
    }
}
