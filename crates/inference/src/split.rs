//! Which version answers a request: a pure function of weights and a number.

use thiserror::Error;

/// Traffic weights over one or more things.
///
/// Invariant: the weights add up to 100, so at least one is above zero.
#[derive(Debug, Clone)]
pub struct TrafficSplit<T> {
    shares: Vec<(u32, T)>,
}

/// What all weights of a split add up to.
const TOTAL: u32 = 100;

/// The weights are no split.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("weights add up to {found}, expected {TOTAL}")]
pub struct SplitError {
    /// Their sum.
    pub found: u64,
}

impl<T> TrafficSplit<T> {
    /// A split by percent.
    ///
    /// Errors: the weights do not add up to 100.
    pub fn new(shares: Vec<(u32, T)>) -> Result<Self, SplitError> {
        let found = shares.iter().map(|(weight, _)| u64::from(*weight)).sum();
        if found == u64::from(TOTAL) {
            Ok(Self { shares })
        } else {
            Err(SplitError { found })
        }
    }

    /// Picks what owns `ticket`, any number the caller drew for this request.
    ///
    /// The draw stays outside, so that a replay with the same tickets takes the same routes.
    pub fn pick(&self, ticket: u64) -> &T {
        let mut rest = (ticket % u64::from(TOTAL)) as u32;
        for (weight, share) in &self.shares {
            if rest < *weight {
                return share;
            }
            rest -= weight;
        }
        unreachable!("`rest` starts below the sum of the weights")
    }

    /// Everything that has a share, even one of zero.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.shares.iter().map(|(_, share)| share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_tickets_in_a_row_follow_the_weights_exactly() {
        let split = TrafficSplit::new(vec![(70, "a"), (0, "never"), (25, "b"), (5, "c")]).unwrap();
        for start in [0, 7, u64::from(u32::MAX), u64::MAX - 200] {
            let picked: Vec<_> = (start..start + 100).map(|ticket| *split.pick(ticket)).collect();
            let count = |name| picked.iter().filter(|picked| **picked == name).count();
            assert_eq!(["a", "never", "b", "c"].map(count), [70, 0, 25, 5]);
        }
    }

    #[test]
    fn the_same_ticket_always_takes_the_same_route() {
        let split = TrafficSplit::new(vec![(50, "a"), (50, "b")]).unwrap();
        assert_eq!((split.pick(49), split.pick(50), split.pick(149)), (&"a", &"b", &"a"));
        assert_eq!(split.pick(u64::MAX), split.pick(u64::MAX));
    }

    #[test]
    fn weights_that_do_not_add_up_are_refused() {
        for weights in [vec![], vec![0], vec![99], vec![50, 51], vec![u32::MAX, u32::MAX, 102]] {
            let found = weights.iter().map(|weight| u64::from(*weight)).sum();
            let shares = weights.into_iter().map(|weight| (weight, ())).collect();
            assert_eq!(TrafficSplit::<()>::new(shares).unwrap_err(), SplitError { found });
        }
    }
}
