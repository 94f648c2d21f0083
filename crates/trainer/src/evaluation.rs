//! What a network reaches on a set of images, clean and noisy.

mod answers;
mod calibration;
mod measures;

use formats::{
    evaluation::{Evaluation, NoiseAccuracy, WrongAnswer},
    report::Accuracy,
};
use mnist_data::{Dataset, Noise};
use model::{Network, Overflow};

use self::answers::{Answer, Answers, answers};

/// The amplitudes of noise at which the accuracy is measured, in units of a white pixel.
const AMPLITUDES: [f32; 7] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5];
/// At most so many images are looked at for each amplitude but 0 and 1: a curve needs no more, and noise makes every
/// pixel count, so that an image takes several times as long as a clean one.
const CURVE_IMAGES_MAX: usize = 2_000;
/// As many wrong answers as a person looks at.
const WORST_ERRORS_MAX: usize = 30;

/// Accuracy on the same images, without and with noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scores {
    pub(crate) clean: Accuracy,
    pub(crate) noisy: Accuracy,
}

/// Everything that a report tells, with the very arithmetic that will serve the network, on all cores.
///
/// The result does not depend on how many cores there are.
///
/// # Errors
///
/// Where the weights are so large that an image overflows.
pub(crate) fn measure(network: &Network, images: &Dataset, noise_seed: u64) -> Result<Evaluation, Overflow> {
    let noise = Noise::new(noise_seed);
    let clean = answers(network, images, 1, None)?;
    let noisy = answers(network, images, 1, Some((&noise, 1.0)))?;
    let stride = images.n_images().div_ceil(CURVE_IMAGES_MAX);
    let at = |amplitude| -> Result<NoiseAccuracy, Overflow> {
        // These two have all answers already. The others get the same noise on the same pixels, weaker or stronger.
        let accuracy = match amplitude {
            0.0 => clean.every(stride).accuracy(),
            1.0 => noisy.every(stride).accuracy(),
            _ => answers(network, images, stride, Some((&noise, amplitude)))?.accuracy(),
        };
        Ok(NoiseAccuracy {
            amplitude: amplitude.into(),
            accuracy,
        })
    };
    let by_noise = AMPLITUDES.into_iter().map(at).collect::<Result<_, _>>()?;
    Ok(Evaluation {
        clean: measures::measures(&clean, network.n_classes()),
        noisy: measures::measures(&noisy, network.n_classes()),
        by_noise,
        worst_errors: worst_errors(&clean),
    })
}

/// The wrong answers that the network was most certain of, the most certain one first.
fn worst_errors(answers: &Answers) -> Vec<WrongAnswer> {
    let mut wrong: Vec<(usize, Answer)> = answers
        .iter()
        .enumerate()
        .filter(|(_, answer)| !answer.is_right())
        .collect();
    wrong.sort_by(|(_, one), (_, other)| other.probability.total_cmp(&one.probability));
    wrong.truncate(WORST_ERRORS_MAX);
    let wrong = wrong.into_iter().map(|(image, answer)| WrongAnswer {
        image: image as u32,
        label: answer.label.into(),
        class_id: answer.class_id as u32,
        probability: rounded(answer.probability.into()),
    });
    wrong.collect()
}

/// To six decimal places: they say enough, and are read back from JSON exactly.
fn rounded(fraction: f64) -> f64 {
    (fraction * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests;
