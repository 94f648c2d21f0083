//! Cutting an array into one piece for each member of a team.

use std::{iter, mem};

/// Cuts `items` into exactly `n` pieces of about the same length, some of them perhaps empty, and never within a unit of
/// `unit` items.
pub(crate) fn pieces<T>(items: &mut [T], unit: usize, n: usize) -> impl Iterator<Item = &mut [T]> {
    let n_units = items.len() / unit;
    let mut rest = items;
    let mut piece = 0;
    iter::from_fn(move || {
        if piece == n {
            return None;
        }
        let n_items = ((piece + 1) * n_units / n - piece * n_units / n) * unit;
        piece += 1;
        let (taken, left) = mem::take(&mut rest).split_at_mut(n_items);
        rest = left;
        Some(taken)
    })
}

/// Where piece `index` of `n` begins, in units, when `n_units` are cut by [`pieces`].
pub(crate) fn first_unit(index: usize, n_units: usize, n: usize) -> usize {
    index * n_units / n
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{first_unit, pieces};

    proptest! {
        #[test]
        fn pieces_are_the_whole_in_order(n_units in 0_usize..40, unit in 1_usize..5, n in 1_usize..9) {
            let mut items: Vec<usize> = (0..n_units * unit).collect();
            let whole = items.clone();
            let mut joined = Vec::new();
            let mut n_pieces = 0;
            for (index, piece) in pieces(&mut items, unit, n).enumerate() {
                assert_eq!(first_unit(index, n_units, n) * unit, joined.len());
                assert!(piece.len() <= n_units.div_ceil(n) * unit);
                joined.extend_from_slice(piece);
                n_pieces += 1;
            }
            assert_eq!(joined, whole);
            assert_eq!(n_pieces, n);
        }
    }
}
