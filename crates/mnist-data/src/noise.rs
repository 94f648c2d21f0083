//! The noise of the tutorial's test: a random number added to every pixel.

use crate::random::Random;

/// Noise has a stream of its own, far from those that the epochs of a training run take.
const STREAM: u64 = u64::MAX;

/// A source of noise, uniform from 0 up to but excluding 1. Sums are not clipped, so noisy pixels reach 2.
///
/// Pixels are served in the order in which they come: images in chunks get the same noise as all at once.
#[derive(Clone, Debug)]
pub struct Noise {
    random: Random,
}

impl Noise {
    /// The same seed gives the same noise on every machine.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed, STREAM),
        }
    }

    /// Adds noise to `pixels`.
    pub fn add_to(&mut self, pixels: &mut [f32]) {
        self.add_scaled_to(pixels, 1.0);
    }

    /// Adds `amplitude` times the noise to `pixels`.
    pub fn add_scaled_to(&mut self, pixels: &mut [f32], amplitude: f32) {
        for pixel in pixels {
            *pixel += amplitude * self.random.unit();
        }
    }

    /// Leaves out the noise of the next `n_pixels` pixels, as if it had been added to them.
    pub fn skip(&mut self, n_pixels: u64) {
        self.random.skip(n_pixels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_added_without_clipping_and_fills_the_unit_interval() {
        let mut pixels = vec![1.0; 10_000];
        Noise::new(1).add_to(&mut pixels);
        assert!(pixels.iter().all(|pixel| (1.0..=2.0).contains(pixel)));
        let mean = pixels.iter().sum::<f32>() / pixels.len() as f32;
        assert!((mean - 1.5).abs() < 0.02, "mean {mean}");
    }

    #[test]
    fn chunks_get_the_noise_of_the_whole() {
        let mut whole = [0.0; 12];
        Noise::new(8).add_to(&mut whole);
        let mut chunked = [0.0; 12];
        let mut noise = Noise::new(8);
        chunked.chunks_mut(5).for_each(|chunk| noise.add_to(chunk));
        assert_eq!(whole, chunked);
    }

    #[test]
    fn noise_that_is_left_out_is_that_of_the_pixels_in_between() {
        let mut whole = [0.0; 12];
        Noise::new(8).add_to(&mut whole);
        let mut noise = Noise::new(8);
        let (mut first, mut last) = ([0.0; 5], [0.0; 3]);
        noise.add_to(&mut first);
        noise.skip(4);
        noise.add_to(&mut last);
        assert_eq!((&first[..], &last[..]), (&whole[..5], &whole[9..]));
    }

    #[test]
    fn scaled_noise_is_the_same_noise_at_another_amplitude() {
        let (mut whole, mut half) = ([0.0; 12], [0.0; 12]);
        Noise::new(8).add_to(&mut whole);
        Noise::new(8).add_scaled_to(&mut half, 0.5);
        assert_eq!(half, whole.map(|noise| noise / 2.0));
    }

    #[test]
    fn another_seed_gives_other_noise() {
        let (mut one, mut other) = ([0.0; 4], [0.0; 4]);
        Noise::new(1).add_to(&mut one);
        Noise::new(2).add_to(&mut other);
        assert_ne!(one, other);
    }
}
