//! A model that really tells drawn digits apart: softmax regression, learnt in a second.

use test_support::Digits;

use crate::support::artifact_of;

const SIDE: usize = 28;
const N_IMAGES: usize = 2_000;
const EPOCHS: usize = 5;
const RATE: f32 = 0.02;

/// The artifact of a model that has learnt drawn digits.
pub(crate) fn artifact() -> Vec<u8> {
    let digits = Digits::draw(N_IMAGES, 1);
    let images: Vec<_> = digits.images.chunks(SIDE * SIDE).map(centred).collect();
    let (mut weights, mut bias) = (vec![0.0; SIDE * SIDE * 10], vec![0.0; 10]);
    for _ in 0..EPOCHS {
        for (image, &label) in images.iter().zip(&digits.labels) {
            learn(image, label, &mut weights, &mut bias);
        }
    }
    artifact_of(weights, bias)
}

/// The pixels with ink, moved so that the centre of the ink is the centre of the image, as in MNIST.
fn centred(image: &[u8]) -> Vec<(usize, f32)> {
    let inked = image.iter().enumerate().filter(|(_, ink)| **ink > 0);
    let inked: Vec<_> = inked
        .map(|(index, &ink)| (index / SIDE, index % SIDE, f32::from(ink) / 255.0))
        .collect();
    let total: f32 = inked.iter().map(|(_, _, ink)| ink).sum();
    let off_centre = |place: fn(&(usize, usize, f32)) -> usize| {
        let sum: f32 = inked.iter().map(|pixel| place(pixel) as f32 * pixel.2).sum();
        ((SIDE - 1) as f32 / 2.0 - sum / total).round() as isize
    };
    let (down, right) = (off_centre(|pixel| pixel.0), off_centre(|pixel| pixel.1));
    let moved = inked.iter().filter_map(|&(row, column, ink)| {
        let (row, column) = (row.checked_add_signed(down)?, column.checked_add_signed(right)?);
        (row < SIDE && column < SIDE).then_some((row * SIDE + column, ink))
    });
    moved.collect()
}

/// One step of gradient descent on the cross entropy of one image.
fn learn(image: &[(usize, f32)], label: u8, weights: &mut [f32], bias: &mut [f32]) {
    let mut shares = bias.to_vec();
    for &(pixel, ink) in image {
        for (share, weight) in shares.iter_mut().zip(&weights[pixel * 10..]) {
            *share += ink * weight;
        }
    }
    let largest = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    shares.iter_mut().for_each(|share| *share = (*share - largest).exp());
    let total: f32 = shares.iter().sum();
    for (class, share) in shares.iter().enumerate() {
        let error = share / total - f32::from(class == usize::from(label));
        bias[class] -= RATE * error;
        for &(pixel, ink) in image {
            weights[pixel * 10 + class] -= RATE * error * ink;
        }
    }
}
