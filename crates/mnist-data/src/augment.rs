//! Augmentation: rows of a training that show their image shifted, turned, bent or under noise, anew in every step.
//!
//! Rows are made a stretch of steps ahead, by all cores. What becomes of a row is a pure function of the seed, the
//! number of its step, its place in the step and its image. So neither the number of threads nor the way in which
//! steps are dealt out to stretches makes a difference, and a training that is resumed needs to know no more than its
//! step.
//!
//! Images that are only moved stay bytes: most of them zero, which is what makes training fast. Only those with noise
//! become dense numbers.

pub(crate) mod affine;
pub(crate) mod elastic;
pub(crate) mod noise;
mod plan;
mod resample;
mod series;
pub(crate) mod settings;
pub(crate) mod shift;
pub(crate) mod stretch;
#[cfg(test)]
mod tests;

use std::{num::NonZeroUsize, thread};

use self::{
    affine::Map,
    elastic::Field,
    plan::{Job, Planner},
    resample::Canvas,
    settings::{Augmentation, AugmentationError},
    shift::shift,
    stretch::{Stretch, Workplace},
};
use crate::{dataset::Dataset, random::Random};

/// Streams of random numbers, far from those of epochs, noise and initial weights.
const ROWS_STREAM: u64 = u64::MAX - 2;
const FIELD_STREAM: u64 = u64::MAX - 3;

/// Fewer images than this are not worth starting a thread for.
const IMAGES_PER_THREAD_MIN: usize = 64;

/// Makes rows from the images of a data set.
#[derive(Clone, Debug)]
pub struct Augmenter<'a> {
    dataset: &'a Dataset,
    augmentation: Augmentation,
    planner: Planner,
    /// Where rows shall be bent.
    field: Option<Field>,
    n_threads: NonZeroUsize,
}

/// Some of the images of a stretch, for one thread to make.
struct Part<'a> {
    moved: (&'a [Job], &'a mut [u8]),
    noisy: (&'a [Job], &'a mut [f32]),
    workplace: &'a mut Workplace,
}

impl<'a> Augmenter<'a> {
    /// An augmenter that uses up to `n_threads` threads, the caller's included; the same seed gives the same rows on
    /// every machine.
    ///
    /// # Errors
    ///
    /// Where a setting is out of its range, or the images are too small or too large for it.
    pub fn new(
        dataset: &'a Dataset,
        augmentation: Augmentation,
        seed: u64,
        n_threads: NonZeroUsize,
    ) -> Result<Self, AugmentationError> {
        augmentation.check()?;
        let size = dataset.image_size();
        augmentation.check_size(size)?;
        let field = || Field::new(&augmentation.elastic, size, &mut Random::new(seed, FIELD_STREAM));
        Ok(Self {
            dataset,
            augmentation,
            planner: Planner::new(&augmentation, Random::new(seed, ROWS_STREAM).bits()),
            field: (augmentation.elastic.share > 0.0).then(field),
            n_threads,
        })
    }

    /// Makes the rows of the steps from `first_step` on, which show the images `rows` of the data set: `rows_per_step`
    /// in each step.
    ///
    /// # Panics
    /// If there are no rows in a step, the steps are not whole, or a row is not the number of an image.
    pub fn fill(&self, first_step: u64, rows_per_step: usize, rows: &[u32], stretch: &mut Stretch) {
        assert!(
            rows_per_step > 0 && rows.len().is_multiple_of(rows_per_step),
            "steps of {rows_per_step} rows, not {} rows",
            rows.len()
        );
        stretch.rows.clear();
        stretch.rows.extend_from_slice(rows);
        self.planner.plan(self.dataset, first_step, rows_per_step, stretch);
        let Stretch {
            moved,
            noisy,
            moved_jobs,
            noisy_jobs,
            workplaces,
            ..
        } = stretch;
        let n_images = moved_jobs.len() + noisy_jobs.len();
        let n_parts = (n_images / IMAGES_PER_THREAD_MIN).clamp(1, self.n_threads.get());
        let n_pixels = self.dataset.n_pixels();
        // Without clearing them first, so that only what is new is filled with zeros for nothing.
        moved.resize(moved_jobs.len() * n_pixels, 0);
        noisy.resize(noisy_jobs.len() * n_pixels, 0.0);
        if workplaces.len() < n_parts {
            workplaces.resize_with(n_parts, Workplace::default);
        }
        let n_moved = moved_jobs.len().div_ceil(n_parts).max(1);
        let n_noisy = noisy_jobs.len().div_ceil(n_parts).max(1);
        let mut moved = moved_jobs.chunks(n_moved).zip(moved.chunks_mut(n_moved * n_pixels));
        let mut noisy = noisy_jobs.chunks(n_noisy).zip(noisy.chunks_mut(n_noisy * n_pixels));
        let mut parts = workplaces[..n_parts].iter_mut().map(|workplace| Part {
            moved: moved.next().unwrap_or_default(),
            noisy: noisy.next().unwrap_or_default(),
            workplace,
        });
        let own = parts.next();
        thread::scope(|scope| {
            parts.for_each(|part| {
                scope.spawn(move || self.make(part));
            });
            own.into_iter().for_each(|part| self.make(part));
        });
    }

    fn make(&self, part: Part<'_>) {
        let n_pixels = self.dataset.n_pixels();
        let Workplace { canvas, image } = part.workplace;
        canvas.set_size(self.dataset.image_size());
        image.resize(n_pixels, 0);
        let (jobs, images) = part.moved;
        for (job, moved) in jobs.iter().zip(images.chunks_exact_mut(n_pixels)) {
            self.move_image(job, canvas, moved);
        }
        let (jobs, images) = part.noisy;
        for (job, noisy) in jobs.iter().zip(images.chunks_exact_mut(n_pixels)) {
            let mut random = self.move_image(job, canvas, image);
            self.augmentation.noise.add(image, &mut random, noisy);
        }
    }

    /// Writes the moved image into `target`; returns the random numbers that are left.
    fn move_image(&self, job: &Job, canvas: &mut Canvas, target: &mut [u8]) -> Random {
        let source = self.dataset.pixels(job.image as usize);
        let size = self.dataset.image_size();
        let mut random = job.random.clone();
        if !job.is_mapped && !job.is_bent {
            shift(source, size.1, job.offset, target);
            return random;
        }
        let map = if job.is_mapped {
            self.augmentation.affine.draw(size, job.offset, &mut random)
        } else {
            Map::shift(job.offset)
        };
        let bend = self
            .field
            .as_ref()
            .filter(|_| job.is_bent)
            .map(|field| field.draw(&mut random));
        canvas.draw(source, &map, bend.as_ref(), target);
        random
    }
}
