//! Sets of images that are not MNIST: each trains, or is refused with the reason.

use expect_test::{Expect, expect};
use model::Artifact;
use test_support::Workspace;

use crate::trainer;

const BYTE: u8 = 0x08;
const FLOAT: u8 = 0x0d;
/// A few steps, in batches that every set here has the images for.
const FEW: [&str; 4] = ["--steps", "4", "--batch-size", "1"];

/// The four files of a set, each as its bytes.
#[derive(Clone)]
struct Set {
    train_images: Vec<u8>,
    train_labels: Vec<u8>,
    test_images: Vec<u8>,
    test_labels: Vec<u8>,
}

/// An IDX file: the type of its elements, the lengths of its dimensions, its elements.
fn idx(element_type: u8, dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![
        0,
        0,
        element_type,
        u8::try_from(dimensions.len()).expect("few dimensions"),
    ];
    bytes.extend(dimensions.iter().flat_map(|length| length.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

fn images(n_images: u32, height: u32, width: u32, pixel: impl Fn(u32) -> u8) -> Vec<u8> {
    let pixels: Vec<u8> = (0..n_images * height * width).map(pixel).collect();
    idx(BYTE, &[n_images, height, width], &pixels)
}

fn labels(n_images: u32, label: impl Fn(u32) -> u8) -> Vec<u8> {
    let labels: Vec<u8> = (0..n_images).map(label).collect();
    idx(BYTE, &[n_images], &labels)
}

fn texture(place: u32) -> u8 {
    (place.wrapping_mul(2_654_435_761) >> 24) as u8
}

/// 40 training and 20 test images of this size, with labels below `n_classes`.
fn sized(height: u32, width: u32, n_classes: u32) -> Set {
    let label = |index| u8::try_from(index % n_classes).expect("at most 256 classes");
    Set {
        train_images: images(40, height, width, texture),
        train_labels: labels(40, label),
        test_images: images(20, height, width, texture),
        test_labels: labels(20, label),
    }
}

impl Set {
    /// Both sets of images filled with one colour.
    fn filled(pixel: u8) -> Self {
        Self {
            train_images: images(40, 28, 28, |_| pixel),
            test_images: images(20, 28, 28, |_| pixel),
            ..sized(28, 28, 10)
        }
    }

    fn workspace(&self) -> Workspace {
        let workspace = Workspace::new();
        for (name, bytes) in [
            ("train-images-idx3-ubyte", &self.train_images),
            ("train-labels-idx1-ubyte", &self.train_labels),
            ("t10k-images-idx3-ubyte", &self.test_images),
            ("t10k-labels-idx1-ubyte", &self.test_labels),
        ] {
            workspace.write(&format!("data/mnist/{name}"), bytes);
        }
        workspace
    }

    /// Trains a few steps, with images as they are and with moved ones.
    #[track_caller]
    fn trains(&self, layers: [u32; 4]) {
        self.trains_by(&["tutorial", "default"], layers);
    }

    #[track_caller]
    fn trains_by(&self, recipes: &[&str], layers: [u32; 4]) {
        let workspace = self.workspace();
        for recipe in recipes {
            let outcome = trainer(&workspace, &[&["--recipe", recipe], &FEW[..]].concat());
            assert_eq!(outcome.code, 0, "{recipe}: {}", outcome.stderr);
            let artifact = Artifact::read(&workspace.read("models/mnist/mnist.safetensors")).expect("an artifact");
            assert_eq!(artifact.header().layers, layers);
        }
    }

    /// Refused before any training.
    #[track_caller]
    fn is_refused(&self, expected: Expect) {
        let workspace = self.workspace();
        let outcome = trainer(&workspace, &FEW);
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        expected.assert_eq(&outcome.stderr);
        assert!(!workspace.join("models/mnist/mnist.safetensors").exists());
    }
}

#[test]
fn images_of_any_size_and_up_to_256_classes_are_trained() {
    sized(28, 28, 10).trains([784, 256, 64, 10]); // as Fashion-MNIST
    sized(28, 28, 26).trains([784, 256, 64, 26]); // as EMNIST's letters
    sized(28, 28, 1).trains([784, 256, 64, 10]);
    sized(32, 32, 10).trains([1024, 256, 64, 10]);
    sized(2, 97, 10).trains([194, 256, 64, 10]);
    // Too narrow to be moved.
    for (height, width) in [(1, 1), (1, 97), (97, 1)] {
        sized(height, width, 10).trains_by(&["tutorial"], [height * width, 256, 64, 10]);
    }
    sized(13, 31, 7).trains([403, 256, 64, 10]);
    Set {
        train_labels: labels(40, |index| if index == 0 { 255 } else { 0 }),
        ..sized(5, 5, 10)
    }
    .trains([25, 256, 64, 256]);
}

#[test]
fn images_without_contrast_and_sets_of_one_image_are_trained() {
    Set::filled(0).trains([784, 256, 64, 10]);
    Set::filled(255).trains([784, 256, 64, 10]);
    Set {
        train_images: images(1, 28, 28, texture),
        train_labels: labels(1, |_| 3),
        test_images: images(1, 28, 28, texture),
        test_labels: labels(1, |_| 3),
    }
    .trains([784, 256, 64, 10]);
}

#[test]
fn sets_without_images_of_a_kind_that_can_be_trained_are_refused_with_the_reason() {
    sized(1, 1, 10).is_refused(expect![[r#"
        error: images of 1 × 1 pixels cannot be shifted by up to 1 pixels: expected less than a side

        hint: `--shift-pixels` takes 0 to 0 with these images, and `--shift-share 0` leaves them where they are
    "#]]);
    let good = sized(28, 28, 10);
    Set {
        train_images: images(0, 28, 28, texture),
        train_labels: labels(0, |_| 0),
        ..good.clone()
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/train-images-idx3-ubyte` and `data/mnist/train-labels-idx1-ubyte` do not belong together
          because: there are no images: expected at least one of at least one pixel, found 0 × 28 × 28
    "#]]);
    Set {
        train_images: images(40, 0, 28, texture),
        ..good.clone()
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/train-images-idx3-ubyte` and `data/mnist/train-labels-idx1-ubyte` do not belong together
          because: there are no images: expected at least one of at least one pixel, found 40 × 0 × 28
    "#]]);
    Set {
        train_images: idx(BYTE, &[40, 28, 28, 3], &vec![0; 40 * 28 * 28 * 3]),
        ..good.clone()
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/train-images-idx3-ubyte` holds unsigned byte elements in 4 dimensions, expected unsigned byte elements in 3 dimensions
    "#]]);
    Set {
        train_images: idx(FLOAT, &[40, 28, 28], &vec![0; 4 * 40 * 28 * 28]),
        ..good
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/train-images-idx3-ubyte` holds float elements in 3 dimensions, expected unsigned byte elements in 3 dimensions
    "#]]);
}

#[test]
fn sets_that_contradict_themselves_or_are_damaged_are_refused_with_the_reason() {
    let good = sized(28, 28, 10);
    Set {
        train_labels: labels(39, |_| 0),
        ..good.clone()
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/train-images-idx3-ubyte` and `data/mnist/train-labels-idx1-ubyte` do not belong together
          because: expected as many labels as images, found 39 labels and 40 images
    "#]]);
    Set {
        test_images: images(20, 27, 28, texture),
        ..good.clone()
    }
    .is_refused(expect![[r#"
        error: the test images in `data/mnist` have 27 × 28 pixels, expected 28 × 28 as the training images have
    "#]]);
    Set {
        test_labels: labels(20, |_| 10),
        ..good.clone()
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/t10k-images-idx3-ubyte` and `data/mnist/t10k-labels-idx1-ubyte` do not belong together
          because: label 0 is 10, expected one below 10
    "#]]);
    Set {
        train_images: good.train_images[..good.train_images.len() - 1].to_vec(),
        ..good.clone()
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/train-images-idx3-ubyte` is no usable IDX file
          because: at byte 31375: expected 31360 bytes of elements from byte 16, found the end after 31359 of them
    "#]]);
    Set {
        train_labels: b"label\n1\n2\n".to_vec(),
        ..good
    }
    .is_refused(expect![[r#"
        error: cannot load the images
          because: `data/mnist/train-labels-idx1-ubyte` is no usable IDX file
          because: at byte 0: expected the bytes 00 00, found 6C 61
    "#]]);
}
