//! Drawing an image anew from places that lie between the pixels of another.

use super::{
    affine::{Map, Place},
    elastic::Bend,
};

/// The longest side of an image whose places still fit into 32 bits, however far a map stretches.
pub(crate) const SIDE_MAX: usize = 4_096;

/// Zeros around an image, on each side: a place outside shows black, also half-way between the inside and it.
const MARGIN: usize = 1;
/// One more column and line, as a place shows four pixels, itself the upper left one.
const MARGINS: usize = 2 * MARGIN + 1;

/// Buffers for drawing images of one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Canvas {
    height: usize,
    width: usize,
    /// The source within its margins. `[height + MARGINS, width + MARGINS]`
    source: Vec<u8>,
    /// For each pixel of a line, which pixels of the source it shows, and how much of them. `[width]`
    sights: Vec<Sight>,
    /// The displacements of an image that is not bent. `[width]`
    straight: Vec<i16>,
}

/// What a pixel shows: a place in a square between four neighbouring pixels.
#[derive(Clone, Copy, Debug, Default)]
struct Sight {
    /// Number of the upper left pixel.
    corner: u32,
    /// How far away from it, in 256ths.
    down: u32,
    right: u32,
}

impl Canvas {
    /// Makes room for images of `size` (height, width); takes memory only when the size changes.
    pub(crate) fn set_size(&mut self, (height, width): (usize, usize)) {
        if (height, width) != (self.height, self.width) {
            *self = Self {
                height,
                width,
                source: vec![0; (height + MARGINS) * (width + MARGINS)],
                sights: vec![Sight::default(); width],
                straight: vec![0; width],
            };
        }
    }

    /// Writes what `map`, and `bend` on top of it, show of the image `source` into `target` (both `[height, width]`,
    /// row by row), interpolating linearly in both directions.
    pub(crate) fn draw(&mut self, source: &[u8], map: &Map, bend: Option<&Bend<'_>>, target: &mut [u8]) {
        let n_columns = self.width + MARGINS;
        let inside = self.source.chunks_exact_mut(n_columns).skip(MARGIN);
        for (line, padded) in source.chunks_exact(self.width).zip(inside) {
            padded[MARGIN..][..self.width].copy_from_slice(line);
        }
        let mut start = map.origin;
        for (index, line) in target.chunks_exact_mut(self.width).enumerate() {
            let displacements = bend.map_or((&self.straight[..], &self.straight[..]), |bend| bend.line(index));
            look(
                start,
                map.by_column,
                displacements,
                (self.height, self.width),
                &mut self.sights,
            );
            for (pixel, sight) in line.iter_mut().zip(&self.sights) {
                *pixel = sight.of(&self.source, n_columns);
            }
            start.down += map.by_line.down;
            start.right += map.by_line.right;
        }
    }
}

/// Finds what each pixel of a line shows, of which the first is at `start` and the others a `step` further each.
fn look(
    start: Place,
    step: Place,
    (bend_down, bend_right): (&[i16], &[i16]),
    (height, width): (usize, usize),
    sights: &mut [Sight],
) {
    let limit = |side: usize| (side as i32) << 16;
    let (bottom, right_end, n_columns) = (limit(height), limit(width), (width + MARGINS) as i32);
    let outside = -limit(MARGIN);
    for (((index, sight), &bend_down), &bend_right) in (0..).zip(sights).zip(bend_down).zip(bend_right) {
        let down = start.down + index * step.down + (i32::from(bend_down) << 8);
        let right = start.right + index * step.right + (i32::from(bend_right) << 8);
        // From here on they are not negative.
        let down = down.clamp(outside, bottom) - outside;
        let right = right.clamp(outside, right_end) - outside;
        *sight = Sight {
            corner: ((down >> 16) * n_columns + (right >> 16)).cast_unsigned(),
            down: (down >> 8 & 255).cast_unsigned(),
            right: (right >> 8 & 255).cast_unsigned(),
        };
    }
}

impl Sight {
    /// The mean of the four pixels, each weighted by how near it is.
    #[inline(always)]
    fn of(self, source: &[u8], n_columns: usize) -> u8 {
        let upper = &source[self.corner as usize..][..n_columns + 2];
        let between = |left: u8, right: u8| u32::from(left) * (256 - self.right) + u32::from(right) * self.right;
        let sum = between(upper[0], upper[1]) * (256 - self.down)
            + between(upper[n_columns], upper[n_columns + 1]) * self.down;
        // Half of 65,536, so that the result is rounded and not cut.
        ((sum + 32_768) >> 16) as u8
    }
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

    fn place(down: f64, right: f64) -> Place {
        Place {
            down: (down * 65_536.0) as i32,
            right: (right * 65_536.0) as i32,
        }
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

        /// A mean of pixels is never brighter than the brightest, and a map of one colour shows that colour inside.
        #[test]
        fn any_place_is_allowed(origin in any::<(i16, i16)>(), by in any::<[i16; 4]>()) {
            let far = |number: i16| i32::from(number) * 16;
            let map = Map {
                origin: Place { down: far(origin.0), right: far(origin.1) },
                by_line: Place { down: far(by[0]), right: far(by[1]) },
                by_column: Place { down: far(by[2]), right: far(by[3]) },
            };
            let drawn = draw(&[200; 35], (7, 5), &map);
            prop_assert!(drawn.iter().all(|&pixel| pixel <= 200));
        }
    }
}
