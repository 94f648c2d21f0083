//! How many requests are worked on: a gauge that is its own limit.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Requests that are being worked on.
#[derive(Default)]
pub(crate) struct InFlight(AtomicUsize);

/// One request among them, until it is dropped: a request whose client hangs up leaves, too.
pub(crate) struct Place<'a>(&'a InFlight);

impl InFlight {
    /// A place for one more, unless there are `max` already.
    pub(crate) fn enter(&self, max: usize) -> Option<Place<'_>> {
        let one_more = |n_requests| (n_requests < max).then_some(n_requests + 1);
        let entered = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        entered.is_ok().then(|| Place(self))
    }

    pub(crate) fn n_requests(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_once_it_is_dropped() {
        let in_flight = InFlight::default();
        let first = in_flight.enter(2);
        let second = in_flight.enter(2);
        assert!(first.is_some() && second.is_some() && in_flight.enter(2).is_none());
        assert_eq!(in_flight.n_requests(), 2);
        drop(first);
        assert!(in_flight.enter(2).is_some());
        assert_eq!(in_flight.n_requests(), 1);
    }
}
