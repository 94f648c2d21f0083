//! The rows of some steps, made ahead of them.

use super::{plan::Job, resample::Canvas};
use crate::dataset::{Dataset, scale};

/// The rows of a stretch of steps, and the images among them that the data set does not hold.
///
/// A buffer to be filled again and again by an [`Augmenter`](super::Augmenter); it takes memory only until it has held
/// the largest stretch.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    pub(crate) rows: Vec<u32>,
    pub(crate) moved: Vec<u8>,
    pub(crate) moved_labels: Vec<u8>,
    pub(crate) noisy: Vec<f32>,
    pub(crate) noisy_labels: Vec<u8>,
    /// How each moved and each noisy image is made.
    pub(crate) moved_jobs: Vec<Job>,
    pub(crate) noisy_jobs: Vec<Job>,
    /// Which rows show the noisy images.
    pub(crate) noisy_rows: Vec<usize>,
    /// One for each thread.
    pub(crate) workplaces: Vec<Workplace>,
}

/// What a thread needs for itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workplace {
    pub(crate) canvas: Canvas,
    /// An image that is moved before it gets noise.
    pub(crate) image: Vec<u8>,
}

impl Stretch {
    /// The rows of the steps, one step after the other. Numbers below the data set's number of images are images of
    /// the data set; the next ones are the moved images, and the last ones the noisy images.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Images that were shifted, mapped or bent. `[n_moved, n_pixels]`
    pub fn moved(&self) -> &[u8] {
        &self.moved
    }

    /// What the moved images show. `[n_moved]`
    pub fn moved_labels(&self) -> &[u8] {
        &self.moved_labels
    }

    /// Images with noise, perhaps moved as well: from 0 to 1, and beyond with noise. `[n_noisy, n_pixels]`
    pub fn noisy(&self) -> &[f32] {
        &self.noisy
    }

    /// What the noisy images show. `[n_noisy]`
    pub fn noisy_labels(&self) -> &[u8] {
        &self.noisy_labels
    }

    /// Writes the image that `row`, one of [`Self::rows`], stands for into `pixels` (`[n_pixels]`), scaled as a
    /// network wants it, and returns what it shows. `dataset` is the one of the augmenter.
    pub fn scale_into(&self, dataset: &Dataset, row: u32, pixels: &mut [f32]) -> u8 {
        let (n_images, n_pixels) = (dataset.n_images(), dataset.n_pixels());
        let row = row as usize;
        let Some(moved) = row.checked_sub(n_images) else {
            dataset.scale_into(row, pixels);
            return dataset.labels()[row];
        };
        let Some(noisy) = moved.checked_sub(self.moved_labels.len()) else {
            let bytes = &self.moved[moved * n_pixels..][..n_pixels];
            for (scaled, &pixel) in pixels.iter_mut().zip(bytes) {
                *scaled = scale(pixel);
            }
            return self.moved_labels[moved];
        };
        pixels.copy_from_slice(&self.noisy[noisy * n_pixels..][..n_pixels]);
        self.noisy_labels[noisy]
    }
}
