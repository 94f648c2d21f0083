//! Handing numbers over to other members of the team.

use crate::{lanes::Lanes, simd::Simd};

/// How numbers are stored that every member will read.
///
/// They are written by one core and read by another, step after step. A core that writes such a line again first has to
/// take it back from the other's cache, and waits for each: 25 ns where the two cores have no cache in common, a tenth
/// of the whole step. What is streamed past the caches leaves nothing to be taken back. A member that is alone keeps its
/// numbers in its cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handover {
    has_readers: bool,
}

impl Handover {
    /// Among `n_members`.
    pub(crate) fn among(n_members: usize) -> Self {
        Self {
            has_readers: n_members > 1,
        }
    }

    /// Not to be read, by any member, before [`Handover::finish`].
    #[inline(always)]
    pub(crate) fn store<S: Simd>(self, simd: S, vector: S::Vector, to: &mut Lanes) {
        if self.has_readers {
            simd.stream(vector, to);
        } else {
            simd.store(vector, to);
        }
    }

    /// Ends a phase.
    #[inline(always)]
    pub(crate) fn finish<S: Simd>(self, simd: S) {
        if self.has_readers {
            simd.publish();
        }
    }
}
