//! Bringing the rows of a later batch near while the current one is computed.

use std::ops::Range;

use super::samples::Samples;
use crate::simd::Simd;

/// The rows that the batch after next will be made of, or rather what one member of the team will read of them.
///
/// Rows are drawn from a data set far larger than any cache. Requested all at once they would queue up before the
/// memory and hold up the loads of the step itself; so they are spread over it.
pub(crate) struct Lookahead<'a> {
    wanted: Option<(&'a Samples, Range<usize>)>,
    rows: &'a [u32],
    pace: usize,
}

impl<'a> Lookahead<'a> {
    /// Nothing to fetch.
    pub(crate) fn none() -> Self {
        Self {
            wanted: None,
            rows: &[],
            pace: 0,
        }
    }

    /// These strips of these rows.
    pub(crate) fn new(samples: &'a Samples, strips: Range<usize>, rows: &'a [u32]) -> Self {
        Self {
            wanted: Some((samples, strips)),
            rows,
            pace: 0,
        }
    }

    /// Spreads the rows over `n_stops` calls of [`Lookahead::fetch_some`].
    pub(crate) fn set_pace(&mut self, n_stops: usize) {
        self.pace = self.rows.len().div_ceil(n_stops.max(1));
    }

    /// Requests the next rows.
    #[inline(always)]
    pub(crate) fn fetch_some<S: Simd>(&mut self, simd: S) {
        let Some((samples, strips)) = &self.wanted else { return };
        let (now, later) = self.rows.split_at(self.pace.min(self.rows.len()));
        self.rows = later;
        for &row in now {
            samples.prefetch(simd, row, strips.clone());
        }
    }
}
