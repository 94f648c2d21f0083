//! How the inputs of a row lie in memory: square by square instead of line by line.

use crate::lanes::LANES;

/// Neighbouring inputs that are looked at together: a row takes part in their arithmetic if any of them is not zero.
pub(crate) const QUAD: usize = 4;
/// Quads whose values share a grain of memory.
pub(crate) const QUADS_PER_TILE: usize = LANES / QUAD;

/// Tiles that lie together for each row, and whose weight gradients are summed together.
pub(crate) const STRIP: usize = 5;

/// The shape of one row of input, which decides what counts as neighbouring.
///
/// Strokes are compact, so the 2 × 2 squares of an image that are not all zero hold fewer zeros (a quarter) than four
/// pixels of a line would. An image is cut into tiles of 4 × 4 pixels, a tile into four such squares. Images whose sides
/// are no multiples of four are thought to go on with zeros. The tiles at the border, nearly empty in most
/// images, are kept apart from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelOrder {
    /// Pixels line by line, as IDX files have them.
    Image {
        /// Lines.
        height: usize,
        /// Pixels in a line.
        width: usize,
    },
    /// Any other numbers; neighbours in the row count as neighbours.
    Flat {
        /// Numbers in a row.
        n_inputs: usize,
    },
}

impl PixelOrder {
    /// Numbers in a row.
    pub fn n_inputs(self) -> usize {
        match self {
            Self::Image { height, width } => height * width,
            Self::Flat { n_inputs } => n_inputs,
        }
    }

    pub(crate) fn n_strips(self) -> usize {
        match self {
            Self::Image { .. } => {
                let n_border = (0..self.n_true_tiles()).filter(|tile| self.is_at_border(*tile)).count();
                n_border.div_ceil(STRIP) + (self.n_true_tiles() - n_border).div_ceil(STRIP)
            }
            Self::Flat { .. } => self.n_true_tiles().div_ceil(STRIP),
        }
    }

    pub(crate) fn n_quads(self) -> usize {
        self.n_strips() * STRIP * QUADS_PER_TILE
    }

    /// Places for inputs, those that stay zero included.
    pub(crate) fn n_slots(self) -> usize {
        self.n_strips() * STRIP * LANES
    }

    /// Words that hold one bit for each quad.
    pub(crate) fn n_quad_words(self) -> usize {
        self.n_quads().div_ceil(64)
    }

    /// The place of every input.
    pub(crate) fn slots(self) -> Vec<usize> {
        let Self::Image { height, width } = self else {
            return (0..self.n_inputs()).collect();
        };
        let tiles = self.tile_places();
        let slot = |y: usize, x: usize| {
            let tile = tiles[y / 4 * width.div_ceil(4) + x / 4];
            let quad = y % 4 / 2 * 2 + x % 4 / 2;
            tile * LANES + quad * QUAD + y % 2 * 2 + x % 2
        };
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (y, x)))
            .map(|(y, x)| slot(y, x))
            .collect()
    }

    /// For every place the input that lies there, or `n_inputs` where none does.
    pub(crate) fn sources(self) -> Vec<u32> {
        let none = u32::try_from(self.n_inputs()).expect("fewer than 2^32 inputs");
        let mut sources = vec![none; self.n_slots()];
        for (input, slot) in (0..none).zip(self.slots()) {
            sources[slot] = input;
        }
        sources
    }

    /// The place of every tile of an image, counted line by line: those at the border, then the others, which begin with
    /// a strip of their own.
    fn tile_places(self) -> Vec<usize> {
        let is_border: Vec<bool> = (0..self.n_true_tiles()).map(|tile| self.is_at_border(tile)).collect();
        let n_border = is_border.iter().filter(|is_border| **is_border).count();
        let (mut border, mut inner) = (0.., n_border.next_multiple_of(STRIP)..);
        let next = |is_border: &bool| if *is_border { border.next() } else { inner.next() };
        is_border.iter().filter_map(next).collect()
    }

    fn n_true_tiles(self) -> usize {
        match self {
            Self::Image { height, width } => height.div_ceil(4) * width.div_ceil(4),
            Self::Flat { n_inputs } => n_inputs.div_ceil(LANES),
        }
    }

    fn is_at_border(self, tile: usize) -> bool {
        let Self::Image { height, width } = self else {
            return false;
        };
        let (n_lines, n_columns) = (height.div_ceil(4), width.div_ceil(4));
        let (y, x) = (tile / n_columns, tile % n_columns);
        y == 0 || y + 1 == n_lines || x == 0 || x + 1 == n_columns
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::PixelOrder;

    #[test]
    fn every_input_has_its_own_slot() {
        let sizes = [(1, 1), (28, 28), (3, 9), (8, 5), (30, 1)];
        let images = sizes.map(|(height, width)| PixelOrder::Image { height, width });
        for order in images.into_iter().chain([PixelOrder::Flat { n_inputs: 19 }]) {
            let slots: BTreeSet<usize> = order.slots().into_iter().collect();
            assert_eq!(slots.len(), order.n_inputs(), "{order:?}");
            assert!(*slots.last().unwrap() < order.n_slots(), "{order:?}");
        }
    }

    #[test]
    fn a_square_of_pixels_is_a_quad() {
        let order = PixelOrder::Image { height: 28, width: 28 };
        let quads = [2 * 28 + 6, 2 * 28 + 7, 3 * 28 + 6, 3 * 28 + 7].map(|input| order.slots()[input] / 4);
        assert_eq!(quads, [quads[0]; 4]);
    }

    #[test]
    fn the_border_of_an_mnist_image_fills_the_first_strips() {
        let order = PixelOrder::Image { height: 28, width: 28 };
        let slots = order.slots();
        assert_eq!(order.n_strips(), 10);
        for (input, slot) in slots.into_iter().enumerate() {
            let (y, x) = (input / 28, input % 28);
            let is_inner = (4..24).contains(&y) && (4..24).contains(&x);
            assert_eq!(slot >= 5 * 5 * 16, is_inner, "line {y}, pixel {x}");
        }
    }
}
