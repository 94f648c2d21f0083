//! The profile of a data set, taken image by image.

use formats::profile::{DataProfile, HISTOGRAM_BINS, MEAN_IMAGE_SIDE};

/// Takes the profile of images that pass by one after the other, so that they need not be in memory together.
///
/// The same images in the same order give the same profile, to the last digit.
#[derive(Debug, Clone)]
pub struct Profiler {
    cells: Vec<usize>, // [n_pixels], the cell of the mean image in which each pixel lies
    class_counts: Vec<u64>,
    pixel_histogram: Vec<u64>,
    ink_histogram: Vec<u64>,
    cell_sums: Vec<f64>,
    square_sum: f64,
    ink_sum: f64,
    ink_square_sum: f64,
}

impl Profiler {
    /// Starts without images. They have `rows` × `columns` pixels, at least one, and belong to `n_classes` classes.
    pub fn new(rows: usize, columns: usize, n_classes: usize) -> Self {
        let cell = |position: usize, length: usize| position * MEAN_IMAGE_SIDE / length;
        let cells = (0..rows * columns)
            .map(|pixel| cell(pixel / columns, rows) * MEAN_IMAGE_SIDE + cell(pixel % columns, columns))
            .collect();
        Self {
            cells,
            class_counts: vec![0; n_classes],
            pixel_histogram: vec![0; HISTOGRAM_BINS],
            ink_histogram: vec![0; HISTOGRAM_BINS],
            cell_sums: vec![0.0; MEAN_IMAGE_SIDE * MEAN_IMAGE_SIDE],
            square_sum: 0.0,
            ink_sum: 0.0,
            ink_square_sum: 0.0,
        }
    }

    /// Takes one image of finite pixels, from 0 for paper to 1 for ink, and its class.
    ///
    /// # Panics
    ///
    /// Where the image has another size or the class is not below the number of classes.
    pub fn add(&mut self, image: &[f32], class: usize) {
        assert_eq!(image.len(), self.cells.len(), "an image is [rows, columns]");
        self.class_counts[class] += 1;
        let mut sum = 0.0;
        let mut n_blank = 0;
        for (&pixel, &cell) in image.iter().zip(&self.cells) {
            // Four of five pixels are paper, which adds nothing to any sum.
            if pixel == 0.0 {
                n_blank += 1;
                continue;
            }
            self.pixel_histogram[bin(pixel.into())] += 1;
            let pixel = f64::from(pixel);
            sum += pixel;
            self.square_sum += pixel * pixel;
            self.cell_sums[cell] += pixel;
        }
        self.pixel_histogram[bin(0.0)] += n_blank;
        let ink = sum / image.len() as f64;
        self.ink_histogram[bin(ink)] += 1;
        self.ink_sum += ink;
        self.ink_square_sum += ink * ink;
    }

    /// The profile of all images so far.
    pub fn finish(self) -> DataProfile {
        let n_images = self.class_counts.iter().sum();
        let mut cell_sizes = vec![0.0; self.cell_sums.len()];
        for &cell in &self.cells {
            cell_sizes[cell] += n_images as f64;
        }
        let (ink_mean, ink_std) = moments(self.ink_sum, self.ink_square_sum, n_images as f64);
        let n_pixels = n_images as f64 * self.cells.len() as f64;
        let (_, pixel_std) = moments(ink_mean * n_pixels, self.square_sum, n_pixels);
        let mean_image = self.cell_sums.iter().zip(&cell_sizes);
        DataProfile {
            n_images,
            class_counts: self.class_counts,
            pixel_histogram: self.pixel_histogram,
            pixel_mean: rounded(ink_mean),
            pixel_std: rounded(pixel_std),
            ink_histogram: self.ink_histogram,
            ink_std: rounded(ink_std),
            mean_image: mean_image
                .map(|(&sum, &size): (_, &f64)| rounded(sum / size.max(1.0)))
                .collect(),
        }
    }
}

/// The bin of a value; what lies outside 0 to 1 counts in the first or last one.
fn bin(value: f64) -> usize {
    ((value * HISTOGRAM_BINS as f64) as usize).min(HISTOGRAM_BINS - 1)
}

/// Mean and standard deviation of `count` values; both 0 where there are none.
fn moments(sum: f64, square_sum: f64, count: f64) -> (f64, f64) {
    let count = count.max(1.0);
    let mean = sum / count;
    (mean, (square_sum / count - mean * mean).max(0.0).sqrt())
}

/// Six decimal places: a sketch needs no more, and such numbers are read back from JSON exactly.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of 14 × 7 pixels: paper alone, and ink in the upper half.
    fn profile() -> DataProfile {
        let mut profiler = Profiler::new(14, 7, 3);
        profiler.add(&[0.0; 98], 2);
        profiler.add(&[[1.0; 49], [0.0; 49]].concat(), 0);
        profiler.finish()
    }

    #[test]
    fn images_and_classes_are_counted() {
        assert_eq!((profile().n_images, profile().class_counts), (2, vec![1, 0, 1]));
    }

    #[test]
    fn histograms_hold_every_pixel_and_every_image() {
        let profile = profile();
        let filled = |histogram: &[u64]| -> Vec<(usize, u64)> {
            let bins = histogram.iter().copied().enumerate();
            bins.filter(|&(_, count)| count > 0).collect()
        };
        assert_eq!(filled(&profile.pixel_histogram), [(0, 147), (19, 49)]);
        assert_eq!(filled(&profile.ink_histogram), [(0, 1), (10, 1)]);
    }

    #[test]
    fn moments_are_those_of_the_definition() {
        let profile = profile();
        assert_eq!((profile.pixel_mean, profile.ink_std), (0.25, 0.25));
        assert_eq!(profile.pixel_std, 0.433_013); // sqrt(1/4 · 3/4)
    }

    #[test]
    fn the_mean_image_shows_where_the_ink_is() {
        let mean_image = profile().mean_image;
        let rows: Vec<f64> = mean_image.chunks(7).map(|row| row[3]).collect();
        assert_eq!(rows, [0.5, 0.5, 0.5, 0.25, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn values_outside_the_unit_interval_count_at_its_ends() {
        assert_eq!(
            (bin(-1.0), bin(0.049), bin(0.05), bin(1.0), bin(2.0)),
            (0, 0, 1, 19, 19)
        );
    }

    #[test]
    fn no_image_has_a_profile_of_zeros() {
        let profile = Profiler::new(3, 3, 2).finish();
        assert_eq!((profile.n_images, profile.pixel_mean, profile.ink_std), (0, 0.0, 0.0));
        assert!(profile.mean_image.iter().all(|&mean| mean == 0.0));
    }
}
