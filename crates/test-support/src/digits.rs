//! Drawn digits: a stand-in for MNIST that any seed makes anew.
//!
//! A digit is a few strokes in a unit square, each image with its own position, size, slant and thickness. A small
//! network learns them within some hundred steps, and another seed makes a test set that it has not seen.

use std::fs;
use std::io::Write;
use std::path::Path;

use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Height and width of an image, as in MNIST.
const SIDE: usize = 28;

/// Seeds of the two sets that [`write_idx_files`] makes; different, so that the test set is a real one.
const TRAIN_SEED: u64 = 1;
const TEST_SEED: u64 = 2;

/// Images of digits and what they show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// Pixels, 0 for paper and 255 for ink.
    pub images: Vec<u8>, // [n_images, 28, 28]
    pub labels: Vec<u8>, // [n_images], 0 to 9
}

/// How the files of [`write_idx_files`] are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are, under MNIST's names.
    Unpacked,
    /// Compressed, under MNIST's names and `.gz`.
    Gzip,
}

impl Digits {
    /// Draws `n_images` digits; the same seed draws the same ones. Every ten of them hold each digit once.
    pub fn draw(n_images: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut images = Vec::with_capacity(n_images * SIDE * SIDE);
        let mut labels = Vec::with_capacity(n_images);
        let mut round: [u8; 10] = std::array::from_fn(|digit| digit as u8);
        for i in 0..n_images {
            if i % round.len() == 0 {
                rng.shuffle(&mut round);
            }
            let digit = round[i % round.len()];
            draw_image(digit, &mut rng, &mut images);
            labels.push(digit);
        }
        Self { images, labels }
    }

    /// The images as the bytes of an IDX file.
    pub fn images_idx(&self) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3];
        for dimension in [self.labels.len(), SIDE, SIDE] {
            bytes.extend((dimension as u32).to_be_bytes());
        }
        bytes.extend(&self.images);
        bytes
    }

    /// The labels as the bytes of an IDX file.
    pub fn labels_idx(&self) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 1];
        bytes.extend((self.labels.len() as u32).to_be_bytes());
        bytes.extend(&self.labels);
        bytes
    }
}

/// Writes drawn digits as the four files of MNIST into `folder`, which is made if need be.
pub fn write_idx_files(folder: &Path, n_train: usize, n_test: usize, packing: Packing) {
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("cannot make `{}`: {error}", folder.display()));
    for (set, n_images, seed) in [("train", n_train, TRAIN_SEED), ("t10k", n_test, TEST_SEED)] {
        let digits = Digits::draw(n_images, seed);
        write_file(
            folder,
            &format!("{set}-images-idx3-ubyte"),
            &digits.images_idx(),
            packing,
        );
        write_file(
            folder,
            &format!("{set}-labels-idx1-ubyte"),
            &digits.labels_idx(),
            packing,
        );
    }
}

fn write_file(folder: &Path, name: &str, bytes: &[u8], packing: Packing) {
    let (path, bytes) = match packing {
        Packing::Unpacked => (folder.join(name), bytes.to_vec()),
        Packing::Gzip => (folder.join(format!("{name}.gz")), gzip(bytes)),
    };
    fs::write(&path, bytes).unwrap_or_else(|error| panic!("cannot write `{}`: {error}", path.display()));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

/// Corners of a digit's strokes in a unit square, x to the right and y down; a stroke joins its corners.
///
/// # Panics
///
/// If `digit` is none.
pub fn strokes(digit: u8) -> &'static [&'static [(f32, f32)]] {
    match digit {
        0 => &[&[
            (0.5, 0.0),
            (0.9, 0.25),
            (0.9, 0.75),
            (0.5, 1.0),
            (0.1, 0.75),
            (0.1, 0.25),
            (0.5, 0.0),
        ]],
        1 => &[&[(0.3, 0.2), (0.55, 0.0), (0.55, 1.0)]],
        2 => &[&[(0.1, 0.2), (0.5, 0.0), (0.9, 0.25), (0.1, 1.0), (0.9, 1.0)]],
        3 => &[&[(0.1, 0.0), (0.85, 0.1), (0.4, 0.45), (0.9, 0.7), (0.5, 1.0), (0.1, 0.9)]],
        4 => &[&[(0.6, 0.0), (0.1, 0.6), (0.95, 0.6)], &[(0.7, 0.3), (0.7, 1.0)]],
        5 => &[&[
            (0.9, 0.0),
            (0.2, 0.0),
            (0.15, 0.45),
            (0.7, 0.4),
            (0.9, 0.7),
            (0.6, 1.0),
            (0.1, 0.95),
        ]],
        6 => &[&[
            (0.75, 0.0),
            (0.25, 0.4),
            (0.1, 0.8),
            (0.5, 1.0),
            (0.85, 0.75),
            (0.5, 0.55),
            (0.15, 0.75),
        ]],
        7 => &[&[(0.1, 0.0), (0.9, 0.0), (0.4, 1.0)]],
        8 => &[
            &[(0.5, 0.0), (0.85, 0.2), (0.5, 0.45), (0.15, 0.2), (0.5, 0.0)],
            &[(0.5, 0.45), (0.9, 0.75), (0.5, 1.0), (0.1, 0.75), (0.5, 0.45)],
        ],
        9 => &[&[
            (0.85, 0.3),
            (0.5, 0.5),
            (0.15, 0.25),
            (0.5, 0.0),
            (0.85, 0.25),
            (0.75, 0.7),
            (0.5, 1.0),
        ]],
        _ => unreachable!("a digit is below ten"),
    }
}

/// Appends one image of `digit`, drawn by a hand that is never quite the same.
fn draw_image(digit: u8, rng: &mut Rng, images: &mut Vec<u8>) {
    let mut between = |low: f32, high: f32| low + rng.f32() * (high - low);
    let (left, top) = (between(6.5, 9.5), between(3.4, 5.0));
    let (width, height) = (between(10.0, 13.0), between(17.0, 19.5));
    let slant = between(-0.15, 0.25); // how far the top leans to the right, in heights
    let thickness = between(0.9, 1.7); // half the width of a stroke, in pixels
    let mut place = |(x, y): (f32, f32)| {
        let x = x + (0.5 - y) * slant + between(-0.03, 0.03);
        let y = y + between(-0.03, 0.03);
        (left + x * width, top + y * height)
    };
    let mut segments = Vec::new();
    for stroke in strokes(digit) {
        let corners: Vec<_> = stroke.iter().map(|&corner| place(corner)).collect();
        segments.extend(corners.windows(2).map(|ends| (ends[0], ends[1])));
    }
    for y in 0..SIDE {
        for x in 0..SIDE {
            let pixel = (x as f32 + 0.5, y as f32 + 0.5);
            let distance = segments
                .iter()
                .map(|&ends| distance(pixel, ends))
                .fold(f32::INFINITY, f32::min);
            // Ink fades over one pixel at the rim of a stroke, as in a scan.
            let ink = (thickness + 0.5 - distance).clamp(0.0, 1.0);
            images.push((ink * 255.0).round() as u8);
        }
    }
}

/// Distance of a point to the line between two others.
fn distance((x, y): (f32, f32), ((x0, y0), (x1, y1)): ((f32, f32), (f32, f32))) -> f32 {
    let (along_x, along_y) = (x1 - x0, y1 - y0);
    let length_squared = along_x * along_x + along_y * along_y;
    let part = ((x - x0) * along_x + (y - y0) * along_y) / length_squared.max(f32::MIN_POSITIVE);
    let part = part.clamp(0.0, 1.0);
    (x - x0 - part * along_x).hypot(y - y0 - part * along_y)
}

#[cfg(test)]
mod tests;
