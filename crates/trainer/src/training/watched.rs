//! Images that a training looks at now and then.

use formats::report::Accuracy;
use mnist_data::{Dataset, Noise};

use crate::{engine::Engine, evaluation::Scores};

/// Images that are scaled and classified together: enough to be fast, too few to cost memory.
const CHUNK: usize = 256;
/// Test images that are looked at where none are held out: the curve needs no more.
const TEST_IMAGES: usize = 1000;

/// The images, and the noise that is added to them: at every look the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched<'a> {
    images: &'a Dataset,
    n_images: usize,
    noise_seed: u64,
}

impl<'a> Watched<'a> {
    /// All of the held-out images.
    pub(crate) fn held_out(images: &'a Dataset, noise_seed: u64) -> Self {
        Self {
            images,
            n_images: images.n_images(),
            noise_seed,
        }
    }

    /// Some of the test images. Nothing may be decided by what comes of them.
    pub(crate) fn test(images: &'a Dataset, noise_seed: u64) -> Self {
        Self {
            images,
            n_images: images.n_images().min(TEST_IMAGES),
            noise_seed,
        }
    }

    /// What the engine's weights reach now.
    pub(super) fn look(&self, engine: &mut dyn Engine) -> anyhow::Result<Scores> {
        let mut noise = Noise::new(self.noise_seed);
        let (mut clean, mut noisy) = (0, 0);
        for start in (0..self.n_images).step_by(CHUNK) {
            let range = start..self.n_images.min(start + CHUNK);
            let labels = &self.images.labels()[range.clone()];
            let (mut pixels, _) = self.images.scaled(range).into_raw_vec_and_offset();
            clean += n_correct(engine, &pixels, labels)?;
            noise.add_to(&mut pixels);
            noisy += n_correct(engine, &pixels, labels)?;
        }
        let total = self.n_images as u64;
        let accuracy = |correct| Accuracy { correct, total };
        Ok(Scores {
            clean: accuracy(clean),
            noisy: accuracy(noisy),
        })
    }
}

fn n_correct(engine: &mut dyn Engine, pixels: &[f32], labels: &[u8]) -> anyhow::Result<u64> {
    let class_ids = engine.classify(pixels, labels.len())?;
    let right = class_ids
        .iter()
        .zip(labels)
        .filter(|&(&class_id, &label)| class_id == usize::from(label));
    Ok(right.count() as u64)
}
