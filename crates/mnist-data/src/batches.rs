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

    /// The data set that the images are of.
    pub fn dataset(&self) -> &'a Dataset {
        self.dataset
    }

    /// How many images a batch has.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// How many batches an epoch has.
    pub fn n_per_epoch(&self) -> usize {
        self.dataset.n_images() / self.batch_size
    }

    /// Goes to where `n_taken` batches have been taken since the beginning of the training.
    pub fn seek(&mut self, n_taken: u64) {
        let n_per_epoch = self.n_per_epoch();
        self.start_epoch(n_taken / n_per_epoch as u64);
        self.position = (n_taken % n_per_epoch as u64) as usize * self.batch_size;
    }

    /// The numbers of the images in the next batch; there always is one.
    pub fn next_rows(&mut self) -> &[u32] {
        if self.order.len() - self.position < self.batch_size {
            self.start_epoch(self.epoch + 1);
        }
        let start = self.position;
        self.position += self.batch_size;
        &self.order[start..self.position]
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

impl Batch {
    /// A batch of zeros, to be filled.
    pub fn new(batch_size: usize, n_pixels: usize) -> Self {
        Self {
            images: Array2::zeros((batch_size, n_pixels)),
            labels: vec![0; batch_size],
        }
    }

    /// Takes over the images of these numbers, as many as the batch has rows; takes no memory.
    pub fn fill(&mut self, dataset: &Dataset, rows: &[u32]) {
        assert_eq!(rows.len(), self.labels.len(), "a batch is filled as a whole");
        for ((&index, mut row), label) in rows.iter().zip(self.images.rows_mut()).zip(&mut self.labels) {
            let row = row
                .as_slice_mut()
                .expect("`Batch::new` made the images in standard layout");
            dataset.scale_into(index as usize, row);
            *label = dataset.labels()[index as usize];
        }
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
            let mut batches = batches(&dataset, batch_size, 1);
            let mut rows: Vec<u32> = (0..n_batches).flat_map(|_| batches.next_rows().to_vec()).collect();
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), batch_size * n_batches);
        }
    }

    #[test]
    fn every_epoch_has_its_own_order() {
        let dataset = numbered(100);
        let mut batches = batches(&dataset, 100, 1);
        let first = batches.next_rows().to_vec();
        assert_ne!(first, batches.next_rows());
    }

    #[test]
    fn the_same_seed_gives_the_same_batches_and_another_seed_others() {
        let dataset = numbered(50);
        let rows = |seed| {
            let mut batches = batches(&dataset, 7, seed);
            (0..30).flat_map(|_| batches.next_rows().to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(rows(3), rows(3));
        assert_ne!(rows(3), rows(4));
    }

    #[test]
    fn seeking_leads_to_where_taking_batches_leads() {
        let dataset = numbered(10);
        for batch_size in [3, 5, 10] {
            let mut taken = batches(&dataset, batch_size, 2);
            for n_taken in 0..12 {
                let mut sought = batches(&dataset, batch_size, 2);
                sought.seek(n_taken);
                let rows = |batches: &mut Batches<'_>| (0..9).flat_map(|_| batches.next_rows().to_vec()).collect();
                let expected: Vec<u32> = rows(&mut taken.clone());
                assert_eq!(rows(&mut sought), expected, "{n_taken} batches of {batch_size}");
                taken.next_rows();
            }
        }
    }

    #[test]
    fn a_batch_holds_the_scaled_images_beside_their_labels() {
        let dataset = numbered(20);
        let mut batches = batches(&dataset, 6, 5);
        let mut batch = Batch::new(6, 1);
        for _ in 0..10 {
            let rows = batches.next_rows();
            batch.fill(&dataset, rows);
            for ((&index, pixels), &label) in rows.iter().zip(batch.images.rows()).zip(&batch.labels) {
                assert_eq!(u32::from(label), index);
                assert_eq!(pixels[0], f32::from(label) / 255.0);
            }
        }
    }

    #[test]
    fn a_batch_larger_than_the_set_is_refused() {
        let error = Batches::new(&numbered(4), NonZeroUsize::new(5).unwrap(), 0).unwrap_err();
        assert_eq!(error.to_string(), "a batch of 5 images cannot be made from 4 images");
    }
}
