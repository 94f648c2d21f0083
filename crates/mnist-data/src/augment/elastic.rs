//! Elastic maps: every pixel moves a little, neighbours nearly alike (Simard, Steinkraus and Platt, "Best practices
//! for convolutional neural networks applied to visual document analysis", ICDAR 2003, section 2).

use super::series::exp;
use crate::random::Random;

/// Rows that show their image bent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elastic {
    /// The part of all rows that is bent, from 0 to 1.
    pub share: f64,
    /// How far pixels move along each axis, in pixels, as a root mean square; up to 10. The paper's α = 34 with σ = 4
    /// comes to 1.38.
    pub pixels: f64,
    /// The paper's σ, from 0.5 to 32 pixels: how far apart pixels have to be to move differently.
    pub smoothness: f64,
}

/// Rows and columns of a field before it repeats: hundreds of images side by side, and yet at home in a cache.
const SIDE: usize = 256;

/// A random field of displacements, smoothed once. Images get windows of it: one for their displacements along each
/// axis, at random places. So a new bend costs two random places and no smoothing.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// In pixels. It goes on where it began, at its right and its lower end, so that every window is in one
    /// piece. `[SIDE + height, SIDE + width]`
    displacements: Vec<f32>,
    n_columns: usize,
    width: usize,
}

/// Two windows of a field: how far away in the image a pixel's source lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bend<'a> {
    field: &'a Field,
    /// Where the windows begin in the field.
    down: usize,
    right: usize,
}

impl Field {
    /// A field for images of `size` (height, width).
    pub(crate) fn new(elastic: &Elastic, (height, width): (usize, usize), random: &mut Random) -> Self {
        let taps = taps(elastic.smoothness);
        let mut noise = vec![0.0; SIDE * SIDE];
        noise.fill_with(|| random.unit() - 0.5);
        // Smoothing along the lines and turning the result, twice, smooths along both axes.
        let smooth = smooth_and_turn(&smooth_and_turn(&noise, &taps), &taps);
        let mean_square = smooth.iter().map(|&number| f64::from(number).powi(2)).sum::<f64>() / smooth.len() as f64;
        let factor = (elastic.pixels / mean_square.sqrt()) as f32;
        let n_columns = SIDE + width;
        let number = |index: usize| smooth[index / n_columns % SIDE * SIDE + index % n_columns % SIDE];
        Self {
            displacements: (0..(SIDE + height) * n_columns)
                .map(|index| number(index) * factor)
                .collect(),
            n_columns,
            width,
        }
    }

    /// Windows at random places.
    pub(crate) fn draw(&self, random: &mut Random) -> Bend<'_> {
        let mut corner = || random.below(SIDE as u32) as usize * self.n_columns + random.below(SIDE as u32) as usize;
        Bend {
            field: self,
            down: corner(),
            right: corner(),
        }
    }
}

impl<'a> Bend<'a> {
    /// The displacements down and to the right of one line of the image, in pixels. `[width]` each
    pub(crate) fn line(&self, line: usize) -> (&'a [f32], &'a [f32]) {
        let window =
            |corner: usize| &self.field.displacements[corner + line * self.field.n_columns..][..self.field.width];
        (window(self.down), window(self.right))
    }
}

/// One half of a Gauss curve, from its middle outwards to three times its width, so that the whole sums up to 1.
fn taps(smoothness: f64) -> Vec<f32> {
    let ratio = |distance: f64| exp(-0.5 * (distance / smoothness).powi(2));
    let n_taps = (3.0 * smoothness).ceil() as usize + 1;
    let mut taps: Vec<f64> = (0..n_taps).map(|distance| ratio(distance as f64)).collect();
    let sum = taps[0] + 2.0 * taps[1..].iter().sum::<f64>();
    taps.iter_mut().for_each(|tap| *tap /= sum);
    taps.into_iter().map(|tap| tap as f32).collect()
}

/// Smooths a field (`[SIDE, SIDE]`) along its lines, which go on where they began, and makes lines of its columns.
fn smooth_and_turn(field: &[f32], taps: &[f32]) -> Vec<f32> {
    let mut turned = vec![0.0; SIDE * SIDE];
    for (line, numbers) in field.chunks_exact(SIDE).enumerate() {
        for column in 0..SIDE {
            let pairs = taps.iter().enumerate().skip(1).map(|(distance, &tap)| {
                tap * (numbers[(column + distance) % SIDE] + numbers[(column + SIDE - distance) % SIDE])
            });
            turned[column * SIDE + line] = taps[0] * numbers[column] + pairs.sum::<f32>();
        }
    }
    turned
}

impl Default for Elastic {
    /// No row, and the paper's map.
    fn default() -> Self {
        Self {
            share: 0.0,
            pixels: 1.38,
            smoothness: 4.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(pixels: f64, smoothness: f64) -> Field {
        let elastic = Elastic {
            share: 1.0,
            pixels,
            smoothness,
        };
        Field::new(&elastic, (9, 14), &mut Random::new(3, 0))
    }

    #[test]
    fn displacements_are_as_large_as_asked_for_and_average_out() {
        let displacements = field(1.5, 4.0).displacements;
        let n = displacements.len() as f64;
        let mean = displacements.iter().map(|&d| f64::from(d)).sum::<f64>() / n;
        let mean_square = displacements.iter().map(|&d| f64::from(d).powi(2)).sum::<f64>() / n;
        assert!(mean.abs() < 0.1, "mean {mean}");
        assert!(
            (mean_square.sqrt() - 1.5).abs() < 0.05,
            "root mean square {}",
            mean_square.sqrt()
        );
    }

    /// White noise under a Gauss curve of width σ is alike over a distance d by exp(−d² / 4σ²).
    #[test]
    fn neighbours_move_alike_as_far_as_the_smoothness_reaches() {
        let Field {
            displacements,
            n_columns,
            ..
        } = field(5.0, 4.0);
        let likeness = |distance: usize| {
            let (mut same, mut apart) = (0.0, 0.0);
            for line in displacements.chunks_exact(n_columns) {
                for (&one, &other) in line.iter().zip(&line[distance..]) {
                    same += f64::from(one).powi(2);
                    apart += f64::from(one) * f64::from(other);
                }
            }
            apart / same
        };
        for (distance, expected) in [(1, 0.984), (4, 0.779), (8, 0.368), (24, 0.0)] {
            assert!(
                (likeness(distance) - expected).abs() < 0.06,
                "{distance}: {}",
                likeness(distance)
            );
        }
    }

    #[test]
    fn a_window_over_the_end_goes_on_at_the_beginning() {
        let field = field(2.0, 1.0);
        let bend = |down| Bend {
            field: &field,
            down,
            right: 0,
        };
        let last = bend((SIDE - 1) * field.n_columns + SIDE - 1);
        let first = bend(0);
        assert_eq!(last.line(1).0[1..], first.line(0).0[..13]);
        assert_eq!(first.line(8).1.len(), 14);
    }

    #[test]
    fn windows_of_bends_differ() {
        let field = field(2.0, 4.0);
        let mut random = Random::new(1, 1);
        let (one, other) = (field.draw(&mut random), field.draw(&mut random));
        assert_ne!(one.line(0), other.line(0));
        assert_ne!(one.line(0).0, one.line(0).1);
    }
}
