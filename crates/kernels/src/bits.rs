//! Sets of rows and units as bits of 64-bit words: walking over their members, and turning them.

use std::num::NonZeroU64;

/// The members of one word, lowest first.
#[derive(Clone, Copy)]
pub(crate) struct Members(u64);

/// Walks over the set bits of `word`.
///
/// The compiler sees that all of them are below 64, and leaves out the bounds check where they index an array of 64.
#[inline(always)]
pub(crate) fn members(word: u64) -> Members {
    Members(word)
}

impl Iterator for Members {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let word = NonZeroU64::new(self.0)?;
        self.0 &= self.0 - 1;
        Some(word.trailing_zeros() as usize)
    }
}

/// Turns a 64 × 64 matrix of bits in place: bit `j` of word `i` and bit `i` of word `j` change places.
///
/// Six rounds exchange ever smaller off-diagonal squares (Warren, Hacker's Delight, section 7-3).
#[inline(always)]
pub(crate) fn transpose_bits(words: &mut [u64; 64]) {
    let mut square = 32;
    let mut mask = 0x0000_0000_ffff_ffff_u64;
    while square != 0 {
        let mut row = 0;
        while row < 64 {
            let swapped = ((words[row] >> square) ^ words[row + square]) & mask;
            words[row] ^= swapped << square;
            words[row + square] ^= swapped;
            row = (row + square + 1) & !square;
        }
        square >>= 1;
        mask ^= mask << square;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{members, transpose_bits};

    proptest! {
        #[test]
        fn members_are_the_set_bits_in_order(word: u64) {
            let naive: Vec<usize> = (0..64).filter(|bit| word >> bit & 1 == 1).collect();
            assert_eq!(members(word).collect::<Vec<_>>(), naive);
        }

        #[test]
        fn a_transpose_exchanges_rows_and_columns(words in proptest::collection::vec(any::<u64>(), 64)) {
            let before: [u64; 64] = words.try_into().unwrap();
            let mut after = before;
            transpose_bits(&mut after);
            for (row, word) in before.iter().enumerate() {
                for (column, turned) in after.iter().enumerate() {
                    assert_eq!(word >> column & 1, turned >> row & 1);
                }
            }
        }
    }
}
