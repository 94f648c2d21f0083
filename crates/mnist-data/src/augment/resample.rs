//! Drawing an image anew from places that lie between the pixels of another.
//!
//! Every loop but one goes over numbers side by side without a branch, so that the compiler makes vectors of it.

use super::{
    affine::{Map, Place},
    elastic::Bend,
};

/// The longest side of an image whose places [`in_256ths`] can tell.
pub(crate) const SIDE_MAX: usize = 4_096;

/// Zeros around an image, on each side: a place outside shows black, also half-way between the inside and it.
const MARGIN: usize = 1;

/// Buffers for drawing images of one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Canvas {
    height: usize,
    width: usize,
    /// The source within its margins, and zeros behind it. `[height + 2 · MARGIN + 1, width + 2 · MARGIN]` and one
    /// more
    source: Vec<u8>,
    /// Each pixel with its neighbours: itself in the lowest byte, then the one to its right, the one below and the one
    /// below to the right. `[height + 2 · MARGIN, width + 2 · MARGIN]`
    squares: Vec<u32>,
    /// The line that is being drawn.
    sights: Sights,
    /// The displacements of an image that is not bent. `[width]`
    straight: Vec<f32>,
}

/// What the pixels of a line show: for each a place in a square between four neighbouring pixels. `[width]` each
#[derive(Clone, Debug, Default)]
struct Sights {
    /// Number of the square.
    numbers: Vec<u32>,
    /// How far away from its upper left pixel, in 256ths.
    down: Vec<u32>,
    right: Vec<u32>,
    /// The square itself.
    squares: Vec<u32>,
}

impl Canvas {
    /// Makes room for images of `size` (height, width); takes memory only when the size changes.
    pub(crate) fn set_size(&mut self, (height, width): (usize, usize)) {
        if (height, width) == (self.height, self.width) {
            return;
        }
        let (n_lines, n_columns) = (height + 2 * MARGIN, width + 2 * MARGIN);
        *self = Self {
            height,
            width,
            source: vec![0; (n_lines + 1) * n_columns + 1],
            squares: vec![0; n_lines * n_columns],
            sights: Sights {
                numbers: vec![0; width],
                down: vec![0; width],
                right: vec![0; width],
                squares: vec![0; width],
            },
            straight: vec![0.0; width],
        };
    }

    /// Writes what `map`, and `bend` on top of it, show of the image `source` into `target` (both `[height, width]`,
    /// row by row), interpolating linearly in both directions.
    pub(crate) fn draw(&mut self, source: &[u8], map: &Map, bend: Option<&Bend<'_>>, target: &mut [u8]) {
        self.take(source);
        for (index, line) in target.chunks_exact_mut(self.width).enumerate() {
            let start = map.line(index);
            let displacements = bend.map_or((&self.straight[..], &self.straight[..]), |bend| bend.line(index));
            self.sights
                .look(start, map.by_column, displacements, (self.height, self.width));
            if self.sights.fetch(&self.squares) {
                self.sights.show(line);
            } else {
                line.fill(0);
            }
        }
    }

    fn take(&mut self, source: &[u8]) {
        let n_columns = self.width + 2 * MARGIN;
        let inside = self.source.chunks_exact_mut(n_columns).skip(MARGIN);
        for (line, padded) in source.chunks_exact(self.width).zip(inside) {
            padded[MARGIN..][..self.width].copy_from_slice(line);
        }
        // Beside the last pixel of a line lies the first one of the next: both are margin.
        let lower = &self.source[n_columns..];
        let pairs = self
            .source
            .iter()
            .zip(&self.source[1..])
            .zip(lower.iter().zip(&lower[1..]));
        for (square, (upper, lower)) in self.squares.iter_mut().zip(pairs) {
            *square = u32::from_le_bytes([*upper.0, *upper.1, *lower.0, *lower.1]);
        }
    }
}

impl Sights {
    /// Finds what each pixel of a line shows, of which the first is at `start` and the others a `step` further each.
    fn look(&mut self, start: Place, step: Place, displacements: (&[f32], &[f32]), (height, width): (usize, usize)) {
        let margin = MARGIN as f32;
        let (bottom, right_end) = ((height + MARGIN) as f32, (width + MARGIN) as f32);
        let n_columns = (width + 2 * MARGIN) as u32;
        let outputs = self.numbers.iter_mut().zip(&mut self.down).zip(&mut self.right);
        let displacements = displacements.0.iter().zip(displacements.1);
        for (index, (((number, down), right), (bend_down, bend_right))) in (0_u16..).zip(outputs.zip(displacements)) {
            let index = f32::from(index);
            let fixed_down = in_256ths(start.down + index * step.down + bend_down + margin, bottom);
            let fixed_right = in_256ths(start.right + index * step.right + bend_right + margin, right_end);
            *number = (fixed_down >> 8) * n_columns + (fixed_right >> 8);
            *down = fixed_down & 255;
            *right = fixed_right & 255;
        }
    }

    /// Fetches the squares; says whether there is anything to see.
    fn fetch(&mut self, squares: &[u32]) -> bool {
        let mut seen = 0;
        for (square, &number) in self.squares.iter_mut().zip(&self.numbers) {
            *square = squares[number as usize];
            seen |= *square;
        }
        seen != 0
    }

    /// Writes what the pixels show: the mean of the four pixels of the square, each weighted by how near it is.
    fn show(&self, line: &mut [u8]) {
        let places = self.down.iter().zip(&self.right);
        for ((pixel, &square), (&down, &right)) in line.iter_mut().zip(&self.squares).zip(places) {
            // All whole numbers below 2^24, which an f32 holds exactly, and in which every vector unit can multiply.
            let corner = |shift: u32| (square >> shift & 255) as f32;
            let (down, right) = (down as f32, right as f32);
            let upper = corner(0) * 256.0 + (corner(8) - corner(0)) * right;
            let lower = corner(16) * 256.0 + (corner(24) - corner(16)) * right;
            let sum = upper * 256.0 + (lower - upper) * down;
            *pixel = (sum / 65_536.0 + ROUNDS).to_bits() as u8;
        }
    }
}

/// Added to a number from 0 to 255, leaves the nearest whole number in the lowest byte of the sum.
const ROUNDS: f32 = 8_388_608.0;

/// Added to a number from 0 up to it, leaves the number in 256ths in the lower bits of the sum.
const ROUNDS_TO_256THS: f32 = 32_768.0;

/// A number of pixels in 256ths, after it was brought between 0 and `end`, which is at most [`ROUNDS_TO_256THS`].
///
/// Neither `clamp` nor `as`, as these care for NaN and for numbers out of range, one after the other.
#[inline(always)]
fn in_256ths(pixels: f32, end: f32) -> u32 {
    let pixels = if pixels > 0.0 { pixels } else { 0.0 };
    let pixels = if pixels < end { pixels } else { end };
    (pixels + ROUNDS_TO_256THS).to_bits() & 0x7f_ffff
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::augment::shift::{Offset, shift};

    fn draw(source: &[u8], size: (usize, usize), map: &Map) -> Vec<u8> {
        let mut canvas = Canvas::default();
        canvas.set_size(size);
        let mut target = vec![99; source.len()];
        canvas.draw(source, map, None, &mut target);
        target
    }

    fn place(down: f32, right: f32) -> Place {
        Place { down, right }
    }

    #[test]
    fn half_way_between_pixels_lies_their_mean_and_outside_is_black() {
        let map = |down, right| Map {
            origin: place(down, right),
            by_line: place(1.0, 0.0),
            by_column: place(0.0, 1.0),
        };
        let source = [100, 200, 0, 40];
        assert_eq!(draw(&source, (2, 2), &map(0.0, 0.5)), [150, 100, 20, 20]);
        assert_eq!(draw(&source, (2, 2), &map(0.5, 0.0)), [50, 120, 0, 20]);
        assert_eq!(draw(&source, (2, 2), &map(0.5, 0.5)), [85, 60, 10, 10]);
        assert_eq!(draw(&source, (2, 2), &map(-0.25, 0.0)), [75, 150, 25, 80]);
        assert_eq!(draw(&source, (2, 2), &map(9.0, -9.0)), [0; 4]);
    }

    #[test]
    fn a_quarter_turn_turns_by_a_quarter() {
        let map = Map {
            origin: place(2.0, 0.0),
            by_line: place(0.0, 1.0),
            by_column: place(-1.0, 0.0),
        };
        let source = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(draw(&source, (3, 3), &map), [7, 4, 1, 8, 5, 2, 9, 6, 3]);
    }

    proptest! {
        #[test]
        fn a_map_that_only_shifts_does_what_a_shift_does(
            (height, width) in (1_i16..9, 1_i16..9),
            (down, right) in (-8_i16..9, -8_i16..9),
        ) {
            let offset = Offset { down: down % height, right: right % width };
            let source: Vec<u8> = (100..).take((height * width) as usize).collect();
            let mut shifted = vec![99; source.len()];
            shift(&source, width as usize, offset, &mut shifted);
            prop_assert_eq!(draw(&source, (height as usize, width as usize), &Map::shift(offset)), shifted);
        }

        #[test]
        fn any_place_is_allowed(places in any::<[f32; 6]>()) {
            let place = |index: usize| Place { down: places[index], right: places[index + 1] };
            let map = Map { origin: place(0), by_line: place(2), by_column: place(4) };
            let drawn = draw(&[200; 35], (7, 5), &map);
            prop_assert!(drawn.iter().all(|&pixel| pixel <= 200));
        }

        /// The same in whole numbers, one after the other.
        #[test]
        fn a_pixel_is_the_weighted_mean_of_four(
            source in any::<[u8; 4]>(),
            (down, right) in (0_u32..256, 0_u32..256),
        ) {
            let map = Map {
                origin: place(down as f32 / 256.0, right as f32 / 256.0),
                ..Map::shift(Offset::default())
            };
            let [upper, lower] = [[source[0], source[1]], [source[2], source[3]]]
                .map(|[left, other]| u32::from(left) * (256 - right) + u32::from(other) * right);
            let sum = upper * (256 - down) + lower * down;
            let drawn = i32::from(draw(&source, (2, 2), &map)[0]);
            prop_assert!((drawn * 65_536 - sum as i32).abs() <= 32_768, "{} of {}", drawn, sum);
        }
    }

    #[test]
    fn the_longest_side_still_has_exact_places() {
        let source: Vec<u8> = (0..SIDE_MAX).map(|column| (column % 251) as u8).collect();
        let offset = Offset { down: 0, right: 0 };
        assert_eq!(draw(&source, (1, SIDE_MAX), &Map::shift(offset)), source);
    }
}
