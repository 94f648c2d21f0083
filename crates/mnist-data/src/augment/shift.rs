//! Shifts by whole pixels: copies of bytes.

/// Rows that show their image somewhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shift {
    /// The part of all rows that is shifted, from 0 to 1. Some of these stay where they are, as a shift may be by 0.
    pub share: f64,
    /// The furthest that an image moves along each axis, in pixels; every whole number up to it is as likely, in both
    /// directions. Less than the sides of the image.
    pub pixels: u8,
}

/// Where an image goes, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offset {
    pub(crate) down: i16,
    pub(crate) right: i16,
}

/// Writes the image `source` (`[height, width]`, row by row), moved by less than its sides, into `target`; what comes
/// in from outside is zero.
pub(crate) fn shift(source: &[u8], width: usize, offset: Offset, target: &mut [u8]) {
    let n_pixels = source.len();
    // In one piece, pixels that leave at one side come in at the other, one line off; they are wiped afterwards.
    let distance = isize::from(offset.down) * width.cast_signed() + isize::from(offset.right);
    let n_gone = distance.unsigned_abs();
    if distance >= 0 {
        target[..n_gone].fill(0);
        target[n_gone..].copy_from_slice(&source[..n_pixels - n_gone]);
    } else {
        target[..n_pixels - n_gone].copy_from_slice(&source[n_gone..]);
        target[n_pixels - n_gone..].fill(0);
    }
    let n_columns = usize::from(offset.right.unsigned_abs());
    let wiped = if offset.right >= 0 {
        0..n_columns
    } else {
        width - n_columns..width
    };
    if !wiped.is_empty() {
        for line in target.chunks_exact_mut(width) {
            line[wiped.clone()].fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shift_by_one_pixel_shifts_by_one_pixel() {
        let source = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        let shifted = |down, right| {
            let mut target = [255; 9];
            shift(&source, 3, Offset { down, right }, &mut target);
            target
        };
        assert_eq!(shifted(0, 1), [0, 1, 2, 0, 4, 5, 0, 7, 8]);
        assert_eq!(shifted(0, -1), [2, 3, 0, 5, 6, 0, 8, 9, 0]);
        assert_eq!(shifted(1, 0), [0, 0, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(shifted(-1, 0), [4, 5, 6, 7, 8, 9, 0, 0, 0]);
        assert_eq!(shifted(1, -1), [0, 0, 0, 2, 3, 0, 5, 6, 0]);
        assert_eq!(shifted(-1, 1), [0, 4, 5, 0, 7, 8, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn every_pixel_is_the_one_that_lay_an_offset_away(
            (height, width) in (1_i16..9, 1_i16..9),
            (down, right) in (-8_i16..9, -8_i16..9),
        ) {
            let (down, right) = (down % height, right % width);
            let source: Vec<u8> = (1..).take((height * width) as usize).collect();
            let mut target = vec![255; source.len()];
            shift(&source, width as usize, Offset { down, right }, &mut target);
            for row in 0..height {
                for column in 0..width {
                    let (from_row, from_column) = (row - down, column - right);
                    let is_inside = (0..height).contains(&from_row) && (0..width).contains(&from_column);
                    let expected = if is_inside { source[(from_row * width + from_column) as usize] } else { 0 };
                    prop_assert_eq!(target[(row * width + column) as usize], expected);
                }
            }
        }
    }
}
