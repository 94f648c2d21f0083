//! What a network reaches on the test images, clean and noisy.

use formats::report::Accuracy;
use mnist_data::{Dataset, Noise};
use model::{Network, Overflow};

/// Images that are scaled and classified together: enough to be fast, too few to cost memory.
const CHUNK: usize = 250;

/// Accuracy on the same images, without and with noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scores {
    pub(crate) clean: Accuracy,
    pub(crate) noisy: Accuracy,
}

/// Classifies all images with the very arithmetic that will serve them.
///
/// # Errors
///
/// Where the weights are so large that a test image overflows.
pub(crate) fn evaluate(network: &Network, images: &Dataset, noise_seed: u64) -> Result<Scores, Overflow> {
    let mut noise = Noise::new(noise_seed);
    let (mut clean, mut noisy) = (0, 0);
    for start in (0..images.n_images()).step_by(CHUNK) {
        let end = images.n_images().min(start + CHUNK);
        let labels = &images.labels()[start..end];
        let (mut pixels, _) = images.scaled(start..end).into_raw_vec_and_offset();
        clean += n_correct(network, &pixels, labels)?;
        noise.add_to(&mut pixels);
        noisy += n_correct(network, &pixels, labels)?;
    }
    let total = images.n_images() as u64;
    let accuracy = |correct| Accuracy { correct, total };
    Ok(Scores {
        clean: accuracy(clean),
        noisy: accuracy(noisy),
    })
}

fn n_correct(network: &Network, pixels: &[f32], labels: &[u8]) -> Result<u64, Overflow> {
    let class_ids = network.classify(pixels, labels.len())?.class_ids;
    let right = class_ids
        .iter()
        .zip(labels)
        .filter(|&(&class_id, &label)| class_id == usize::from(label));
    Ok(right.count() as u64)
}
