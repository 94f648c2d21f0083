//! Noise on single rows.

use crate::{dataset::scale, random::Random};

/// Rows with noise on all pixels: each pixel gets a random number of its own from 0 up to the amplitude of the row,
/// not clipped, as in the tutorial's test. Single rows and not whole batches, so that every step sees both.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowNoise {
    /// The part of all rows that gets noise, from 0 to 1.
    pub share: f64,
    /// The largest amplitude of a row, up to 10, in units of a white pixel; every amplitude from 0 up to it is as
    /// likely.
    pub amplitude: f64,
}

/// How many random numbers come from one draw.
const PER_DRAW: usize = 4;
/// Draws at a time, so that the compiler makes vectors of their numbers.
const DRAWS: usize = 4;
const CHUNK: usize = DRAWS * PER_DRAW;

impl RowNoise {
    /// Writes the image `source`, scaled to \[0, 1\] and with noise of a random amplitude on it, into `target`.
    pub(crate) fn add(&self, source: &[u8], random: &mut Random, target: &mut [f32]) {
        let amplitude = self.amplitude as f32 * random.unit();
        // 16 bits for a pixel that has 8 itself: four times as many numbers from each draw.
        let step = amplitude / 65_536.0;
        let (chunks, rest) = source.as_chunks::<CHUNK>();
        let (noisy_chunks, noisy_rest) = target.as_chunks_mut::<CHUNK>();
        for (chunk, noisy) in chunks.iter().zip(noisy_chunks) {
            *noisy = noisy_chunk(*chunk, step, random);
        }
        let mut last = [0; CHUNK];
        last[..rest.len()].copy_from_slice(rest);
        noisy_rest.copy_from_slice(&noisy_chunk(last, step, random)[..rest.len()]);
    }
}

#[inline(always)]
fn noisy_chunk(chunk: [u8; CHUNK], step: f32, random: &mut Random) -> [f32; CHUNK] {
    let draws: [u64; DRAWS] = std::array::from_fn(|_| random.bits());
    std::array::from_fn(|n| {
        let number = (draws[n / PER_DRAW] >> (16 * (n % PER_DRAW))) as u16;
        scale(chunk[n]) + f32::from(number) * step
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(amplitude: f64, source: &[u8], seed: u64) -> Vec<f32> {
        let mut target = vec![f32::NAN; source.len()];
        let noise = RowNoise { share: 1.0, amplitude };
        noise.add(source, &mut Random::new(seed, 0), &mut target);
        target
    }

    #[test]
    fn amplitudes_of_rows_and_noise_of_pixels_spread_evenly_and_are_not_clipped() {
        let mut amplitudes = Vec::new();
        for seed in 0..300 {
            let row = noisy(2.0, &[255; 1_000], seed);
            let largest = row.iter().fold(0.0_f32, |largest, pixel| largest.max(pixel - 1.0));
            let mean = row.iter().map(|pixel| pixel - 1.0).sum::<f32>() / 1_000.0;
            assert!(row.iter().all(|&pixel| (1.0..3.0).contains(&pixel)));
            assert!((mean / largest - 0.5).abs() < 0.06, "mean {mean}, largest {largest}");
            amplitudes.push(largest);
        }
        amplitudes.sort_by(f32::total_cmp);
        for (quarter, expected) in [(75, 0.5), (150, 1.0), (225, 1.5)] {
            assert!((amplitudes[quarter] - expected).abs() < 0.25, "{amplitudes:?}");
        }
    }

    #[test]
    fn no_amplitude_is_no_noise() {
        let source: Vec<u8> = (0..=255).collect();
        let scaled: Vec<f32> = source.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        assert_eq!(noisy(0.0, &source, 1), scaled);
    }

    #[test]
    fn the_pixels_of_a_row_differ_and_so_do_rows() {
        let row = noisy(1.0, &[0; 64], 1);
        let mut sorted = row.clone();
        sorted.sort_by(f32::total_cmp);
        sorted.dedup();
        assert!(sorted.len() > 60, "{row:?}");
        assert_ne!(row, noisy(1.0, &[0; 64], 2));
    }
}
