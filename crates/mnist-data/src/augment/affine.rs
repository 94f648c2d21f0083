//! Rotation, scale and shear: one linear map for the whole image, about its middle.

use super::{series::sin_cos, shift::Offset};
use crate::random::Random;

/// Rows that show their image turned, stretched and slanted, each by a random amount.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Affine {
    /// The part of all rows that is changed in this way, from 0 to 1.
    pub share: f64,
    /// The furthest turn to either side, in degrees, up to 180.
    pub rotation: f64,
    /// The largest relative change of height and of width, which are drawn separately, up to 0.5: with 0.1 both come
    /// out from 0.9 to 1.1 of what they were.
    pub scale: f64,
    /// The furthest slant to either side, up to 1: how far a pixel goes sideways for each pixel of height.
    pub shear: f64,
}

/// For each pixel of an image, the place in another image that it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Map {
    /// What the pixel at the top left shows.
    pub(crate) origin: Place,
    /// How much further the next line's pixel is.
    pub(crate) by_line: Place,
    /// How much further the next column's pixel is.
    pub(crate) by_column: Place,
}

/// A place in an image, or a distance, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) down: f32,
    pub(crate) right: f32,
}

/// How an image is changed about its middle.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Change {
    /// In radians, clockwise.
    angle: f64,
    height: f64,
    width: f64,
    shear: f64,
}

impl Affine {
    /// A random map for an image of `size` (height, width) that is also moved by `offset`.
    pub(crate) fn draw(&self, size: (usize, usize), offset: Offset, random: &mut Random) -> Map {
        let mut either_side = |furthest: f64| furthest * (2.0 * f64::from(random.unit()) - 1.0);
        let change = Change {
            angle: either_side(self.rotation).to_radians(),
            height: 1.0 + either_side(self.scale),
            width: 1.0 + either_side(self.scale),
            shear: either_side(self.shear),
        };
        change.map(size, offset)
    }
}

impl Map {
    /// Moves the image and changes nothing else.
    pub(crate) fn shift(offset: Offset) -> Self {
        Self {
            origin: Place::new(-f64::from(offset.down), -f64::from(offset.right)),
            by_line: Place::new(1.0, 0.0),
            by_column: Place::new(0.0, 1.0),
        }
    }

    /// What the first pixel of a line shows.
    pub(crate) fn line(&self, index: usize) -> Place {
        Place {
            down: self.origin.down + index as f32 * self.by_line.down,
            right: self.origin.right + index as f32 * self.by_line.right,
        }
    }
}

impl Place {
    fn new(down: f64, right: f64) -> Self {
        let (down, right) = (down as f32, right as f32);
        Self { down, right }
    }
}

impl Change {
    /// A pixel shows what the change brings to its place, so the map is the inverse of the change: back by the offset,
    /// back by the angle, upright, and back to the old size.
    fn map(&self, (height, width): (usize, usize), offset: Offset) -> Map {
        let (sine, cosine) = sin_cos(self.angle);
        let by_line = (cosine / self.height, (sine - self.shear * cosine) / self.width);
        let by_column = (-sine / self.height, (cosine + self.shear * sine) / self.width);
        let middle = ((height - 1) as f64 / 2.0, (width - 1) as f64 / 2.0);
        let (down, right) = (-middle.0 - f64::from(offset.down), -middle.1 - f64::from(offset.right));
        Map {
            origin: Place::new(
                middle.0 + by_line.0 * down + by_column.0 * right,
                middle.1 + by_line.1 * down + by_column.1 * right,
            ),
            by_line: Place::new(by_line.0, by_line.1),
            by_column: Place::new(by_column.0, by_column.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOTHING: Change = Change {
        angle: 0.0,
        height: 1.0,
        width: 1.0,
        shear: 0.0,
    };
    const HERE: Offset = Offset { down: 0, right: 0 };

    /// Where the pixel at (line, column) looks.
    fn source(map: &Map, line: usize, column: usize) -> (f32, f32) {
        let (start, column) = (map.line(line), column as f32);
        (
            start.down + column * map.by_column.down,
            start.right + column * map.by_column.right,
        )
    }

    #[track_caller]
    fn check(change: Change, (line, column): (usize, usize), expected: (f32, f32)) {
        let (down, right) = source(&change.map((5, 5), HERE), line, column);
        let is_near = (down - expected.0).abs() < 1e-3 && (right - expected.1).abs() < 1e-3;
        assert!(is_near, "({down}, {right}), expected {expected:?}");
    }

    #[test]
    fn each_change_does_what_its_name_says() {
        let quarter = std::f64::consts::FRAC_PI_2;
        // Turned clockwise by a quarter, the top right pixel shows what was at the top left.
        check(
            Change {
                angle: quarter,
                ..NOTHING
            },
            (0, 4),
            (0.0, 0.0),
        );
        // Of an image twice as high, the second line shows what lay half-way between the middle and the top.
        check(Change { height: 2.0, ..NOTHING }, (0, 1), (1.0, 1.0));
        check(Change { width: 2.0, ..NOTHING }, (1, 0), (1.0, 1.0));
        // Slanted by one to one, the lower line has gone right by two.
        check(Change { shear: 1.0, ..NOTHING }, (4, 4), (4.0, 2.0));
        check(Change { shear: 1.0, ..NOTHING }, (2, 3), (2.0, 3.0));
    }

    #[test]
    fn no_change_is_exactly_none() {
        let offset = Offset { down: 1, right: -2 };
        assert_eq!(NOTHING.map((28, 27), offset), Map::shift(offset));
        let affine = Affine {
            share: 1.0,
            ..Affine::default()
        };
        assert_eq!(
            affine.draw((28, 27), offset, &mut Random::new(1, 1)),
            Map::shift(offset)
        );
    }

    proptest! {
        #[test]
        fn the_middle_stays_whatever_changes(angle in -3.0..3.0, height in 0.5..1.5, width in 0.5..1.5, shear in -1.0..1.0) {
            let map = Change { angle, height, width, shear }.map((9, 5), HERE);
            let (down, right) = source(&map, 4, 2);
            prop_assert!((down - 4.0).abs() < 1e-3 && (right - 2.0).abs() < 1e-3, "({down}, {right})");
        }
    }
}
