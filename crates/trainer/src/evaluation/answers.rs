//! The network's answer to each of many images, found on all cores.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

use formats::report::Accuracy;
use mnist_data::{Dataset, Noise};
use model::{Network, Overflow, PreparedNetwork, Scratch};

/// Images that are scaled and classified together: enough to be fast, too few to cost memory.
const CHUNK: usize = 250;

/// What the network says about one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answer {
    /// What the image shows.
    pub(super) label: u8,
    pub(super) class_id: usize,
    /// How probable the network finds its answer.
    pub(super) probability: f32,
}

/// The answers to some images, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answers(Vec<Answer>);

impl Answer {
    pub(super) fn is_right(self) -> bool {
        self.class_id == usize::from(self.label)
    }
}

impl Answers {
    pub(super) fn iter(&self) -> impl Iterator<Item = Answer> {
        self.0.iter().copied()
    }

    /// The first answer, and each that stands `stride` behind the one before.
    pub(super) fn every(&self, stride: usize) -> Self {
        Self(self.iter().step_by(stride).collect())
    }

    pub(super) fn accuracy(&self) -> Accuracy {
        Accuracy {
            correct: self.iter().filter(|answer| answer.is_right()).count() as u64,
            total: self.0.len() as u64,
        }
    }
}

impl FromIterator<Answer> for Answers {
    fn from_iter<Iter: IntoIterator<Item = Answer>>(answers: Iter) -> Self {
        Self(answers.into_iter().collect())
    }
}

/// Classifies the first image and each that lies `stride` behind the one before, with noise at an amplitude or without.
///
/// An image gets the same noise whichever of the others are looked at.
///
/// # Errors
///
/// The first image whose values are too large.
pub(super) fn answers(
    network: &Network,
    images: &Dataset,
    stride: usize,
    noise: Option<(&Noise, f32)>,
) -> Result<Answers, Overflow> {
    let unanswered = Answer {
        label: 0,
        class_id: 0,
        probability: 0.0,
    };
    let exam = Exam {
        network: network.prepare(),
        images,
        noise,
    };
    let mut answers = vec![unanswered; images.n_images().div_ceil(stride)];
    // Threads take the next chunk when they are done with one, so that a busy core does not hold the others up.
    let chunks = Mutex::new(answers.chunks_mut(CHUNK).enumerate());
    let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<(), Overflow> {
        let mut scratch = Scratch::default();
        while let Some((chunk, answers)) = next() {
            let indices: Vec<usize> = (chunk * CHUNK..)
                .take(answers.len())
                .map(|place| place * stride)
                .collect();
            exam.answer(&indices, &mut scratch, answers)?;
        }
        Ok(())
    };
    let n_threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let outcomes: Vec<Result<(), Overflow>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(work)).collect();
        let outcomes = threads.into_iter().map(thread::ScopedJoinHandle::join);
        outcomes
            .map(|outcome| outcome.expect("a thread that classifies does not panic"))
            .collect()
    });
    match outcomes
        .into_iter()
        .filter_map(Result::err)
        .min_by_key(|overflow| overflow.image)
    {
        Some(first) => Err(first),
        None => Ok(Answers(answers)),
    }
}

/// A network and the images that it is asked about, with noise at an amplitude or without.
struct Exam<'a> {
    network: PreparedNetwork,
    images: &'a Dataset,
    noise: Option<(&'a Noise, f32)>,
}

impl Exam<'_> {
    /// Classifies the images `indices`, one behind the other, into `answers`.
    fn answer(&self, indices: &[usize], scratch: &mut Scratch, answers: &mut [Answer]) -> Result<(), Overflow> {
        let Self { network, images, noise } = self;
        let n_pixels = images.n_pixels();
        let mut pixels = vec![0.0; indices.len() * n_pixels]; // [n_indices, n_pixels]
        for (&index, pixels) in indices.iter().zip(pixels.chunks_exact_mut(n_pixels)) {
            images.scale_into(index, pixels);
            if let &Some((noise, amplitude)) = noise {
                let mut noise = noise.clone();
                noise.skip((index * n_pixels) as u64);
                noise.add_scaled_to(pixels, amplitude);
            }
        }
        let classified = network.classify(&pixels, indices.len(), scratch);
        let classified = classified.map_err(|overflow| Overflow {
            image: indices[overflow.image],
        })?;
        let n_classes = classified.probabilities.len() / indices.len();
        let probabilities = classified.probabilities.chunks_exact(n_classes);
        for (place, (probabilities, answer)) in probabilities.zip(answers).enumerate() {
            let class_id = classified.class_ids[place];
            *answer = Answer {
                label: images.labels()[indices[place]],
                class_id,
                probability: probabilities[class_id],
            };
        }
        Ok(())
    }
}
