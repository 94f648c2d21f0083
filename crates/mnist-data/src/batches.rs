//! Batches of shuffled images, epoch after epoch without end.

use std::num::NonZeroUsize;

use ndarray::Array2;

use crate::dataset::Dataset;
use crate::random::Random;

/// Batches of a data set: in each epoch every image at most once, in an order that the seed decides.
///
/// What does not fill a batch at the end of an epoch is left out of it; as each epoch has its own order, no image is
/// left out for good.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    dataset: &'a Dataset,
    batch_size: usize,
    seed: u64,
    epoch: u64,
    order: Vec<u32>, // image numbers of this epoch
    position: usize, // the first of them that no batch has taken yet
}

/// Some images with their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Pixels from 0 to 1.
    pub images: Array2<f32>, // [batch_size, n_pixels]
    pub labels: Vec<u8>, // [batch_size]
}

/// A batch that the data set cannot fill.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a batch of {batch_size} images cannot be made from {n_images} images")]
pub struct BatchSizeError {
    pub batch_size: usize,
    pub n_images: usize,
}

impl<'a> Batches<'a> {
    /// Batches of `batch_size` images; the same seed gives the same batches on every machine.
    pub fn new(dataset: &'a Dataset, batch_size: NonZeroUsize, seed: u64) -> Result<Self, BatchSizeError> {
        let (batch_size, n_images) = (batch_size.get(), dataset.n_images());
        if batch_size > n_images {
            return Err(BatchSizeError { batch_size, n_images });
        }
        let mut batches = Self {
            dataset,
            batch_size,
            seed,
            epoch: 0,
            order: Vec::new(),
            position: 0,
        };
        batches.start_epoch(0);
        Ok(batches)
    }

    /// A batch of zeros of the right size, to be filled.
    pub fn empty_batch(&self) -> Batch {
        let images = Array2::zeros((self.batch_size, self.dataset.n_pixels()));
        Batch {
            images,
            labels: vec![0; self.batch_size],
        }
    }

    /// Puts the next images into `batch`, which came from [`Batches::empty_batch`]; takes no memory.
    pub fn fill(&mut self, batch: &mut Batch) {
        if self.order.len() - self.position < self.batch_size {
            self.start_epoch(self.epoch + 1);
        }
        let indices = &self.order[self.position..][..self.batch_size];
        self.position += self.batch_size;
        for ((&index, mut row), label) in indices.iter().zip(batch.images.rows_mut()).zip(&mut batch.labels) {
            let row = row
                .as_slice_mut()
                .expect("`empty_batch` made the images in standard layout");
            self.dataset.scale_into(index as usize, row);
            *label = self.dataset.labels()[index as usize];
        }
    }

    /// The order of an epoch depends on nothing but seed and epoch, so that a run can go on in its middle.
    fn start_epoch(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.position = 0;
        self.order.clear();
        self.order.extend((0..).take(self.dataset.n_images()));
        Random::new(self.seed, epoch).shuffle(&mut self.order);
    }
}

impl Iterator for Batches<'_> {
    type Item = Batch;

    /// The next batch in memory of its own; there always is one.
    fn next(&mut self) -> Option<Batch> {
        let mut batch = self.empty_batch();
        self.fill(&mut batch);
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    /// Images of one pixel that say their own number, and the same number as label.
    fn numbered(n_images: u8) -> Dataset {
        let images = Array3::from_shape_fn((n_images.into(), 1, 1), |(index, ..)| index as u8);
        Dataset::new(images, (0..n_images).collect(), 256).unwrap()
    }

    fn batches(dataset: &Dataset, batch_size: usize, seed: u64) -> Batches<'_> {
        Batches::new(dataset, NonZeroUsize::new(batch_size).unwrap(), seed).unwrap()
    }

    #[test]
    fn an_epoch_holds_every_image_once_and_leaves_out_what_fills_no_batch() {
        let dataset = numbered(10);
        for (batch_size, n_batches) in [(5, 2), (3, 3), (10, 1)] {
            let epoch = batches(&dataset, batch_size, 1).take(n_batches);
            let mut labels: Vec<u8> = epoch.flat_map(|batch| batch.labels).collect();
            labels.sort_unstable();
            labels.dedup();
            assert_eq!(labels.len(), batch_size * n_batches);
        }
    }

    #[test]
    fn every_epoch_has_its_own_order() {
        let dataset = numbered(100);
        let mut batches = batches(&dataset, 100, 1);
        assert_ne!(batches.next().unwrap().labels, batches.next().unwrap().labels);
    }

    #[test]
    fn the_same_seed_gives_the_same_batches_and_another_seed_others() {
        let dataset = numbered(50);
        let labels = |seed| {
            batches(&dataset, 7, seed)
                .take(30)
                .flat_map(|batch| batch.labels)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(3), labels(3));
        assert_ne!(labels(3), labels(4));
    }

    #[test]
    fn a_filled_batch_equals_a_new_one_and_keeps_images_beside_their_labels() {
        let dataset = numbered(20);
        let (mut filling, creating) = (batches(&dataset, 6, 5), batches(&dataset, 6, 5));
        let mut filled = filling.empty_batch();
        for created in creating.take(10) {
            filling.fill(&mut filled);
            assert_eq!(filled, created);
            for (row, &label) in created.images.rows().into_iter().zip(&created.labels) {
                assert_eq!(row[0], f32::from(label) / 255.0);
            }
        }
    }

    #[test]
    fn a_batch_larger_than_the_set_is_refused() {
        let error = Batches::new(&numbered(4), NonZeroUsize::new(5).unwrap(), 0).unwrap_err();
        assert_eq!(error.to_string(), "a batch of 5 images cannot be made from 4 images");
    }
}
