use ndarray::Array3;
use test_support::{Digits, Packing, Workspace, write_idx_files};

use super::*;

/// The whole chain of an error, as a program prints it, without the folder of this test.
fn chain(error: &LoadError, workspace: &Workspace) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!("; {cause}");
        source = cause.source();
    }
    text.replace(&workspace.path().display().to_string(), ".")
}

#[test]
fn drawn_digits_are_loaded_with_their_labels() {
    let workspace = Workspace::new();
    write_idx_files(workspace.path(), 30, 20, Packing::Unpacked);
    let train = Dataset::load(workspace.path(), Split::Train, 10).unwrap();
    let digits = Digits::draw(30, 1);
    assert_eq!(
        (train.n_images(), train.image_size(), train.n_pixels()),
        (30, (28, 28), 784)
    );
    assert_eq!(train.labels(), digits.labels);
    assert_eq!(train.pixels(3), &digits.images[3 * 784..4 * 784]);
    assert_eq!(Dataset::load(workspace.path(), Split::Test, 10).unwrap().n_images(), 20);
}

#[test]
fn scaled_pixels_reach_from_zero_to_one() {
    let images = Array3::from_shape_vec((2, 1, 3), vec![0, 51, 255, 255, 0, 102]).unwrap();
    let dataset = Dataset::new(images, vec![0, 1], 2).unwrap();
    assert_eq!(
        dataset.scaled(0..2).into_raw_vec_and_offset().0,
        [0.0, 0.2, 1.0, 1.0, 0.0, 0.4]
    );
    assert_eq!(dataset.scaled(1..2).dim(), (1, 3));
}

#[test]
fn images_in_another_memory_layout_keep_their_pixels() {
    let images = Array3::from_shape_fn((2, 2, 2), |(i, y, x)| (100 * i + 10 * y + x) as u8);
    let transposed = images.permuted_axes([0, 2, 1]);
    let dataset = Dataset::new(transposed, vec![0, 0], 1).unwrap();
    assert_eq!(dataset.pixels(1), [100, 110, 101, 111]);
}

#[test]
fn a_missing_file_is_named_and_can_be_told_from_a_damaged_one() {
    let workspace = Workspace::new();
    let error = Dataset::load(workspace.path(), Split::Test, 10).unwrap_err();
    assert!(error.is_missing_file());
    assert_eq!(
        chain(&error, &workspace),
        "cannot open `./t10k-images-idx3-ubyte`; No such file or directory (os error 2)"
    );
    workspace.write("t10k-images-idx3-ubyte", b"\0\0\x08\x03");
    let error = Dataset::load(workspace.path(), Split::Test, 10).unwrap_err();
    assert!(!error.is_missing_file());
    assert_eq!(
        chain(&error, &workspace),
        "`./t10k-images-idx3-ubyte` is no usable IDX file; \
         at byte 4: expected dimension 1 of 3, found the end of the file"
    );
}

#[test]
fn labels_in_the_place_of_images_are_refused() {
    let workspace = Workspace::new();
    workspace.write("train-images-idx3-ubyte", &Digits::draw(10, 1).labels_idx());
    let error = Dataset::load(workspace.path(), Split::Train, 10).unwrap_err();
    assert_eq!(
        chain(&error, &workspace),
        "`./train-images-idx3-ubyte` holds unsigned byte elements in 1 dimensions, \
         expected unsigned byte elements in 3 dimensions"
    );
}

#[test]
fn images_and_labels_must_agree_in_number() {
    let workspace = Workspace::new();
    workspace.write("train-images-idx3-ubyte", &Digits::draw(10, 1).images_idx());
    workspace.write("train-labels-idx1-ubyte", &Digits::draw(11, 1).labels_idx());
    let error = Dataset::load(workspace.path(), Split::Train, 10).unwrap_err();
    assert_eq!(
        chain(&error, &workspace),
        "`./train-images-idx3-ubyte` and `./train-labels-idx1-ubyte` do not belong together; \
         expected as many labels as images, found 11 labels and 10 images"
    );
}

#[test]
fn a_label_out_of_range_is_named_with_its_place() {
    let images = Array3::zeros((3, 1, 1));
    let error = Dataset::new(images, vec![9, 10, 11], 10).unwrap_err();
    assert_eq!(error.to_string(), "label 1 is 10, expected one below 10");
}

#[test]
fn a_set_without_a_pixel_is_refused() {
    for size in [(0, 28, 28), (5, 0, 28)] {
        let error = Dataset::new(Array3::zeros(size), vec![0; size.0], 10).unwrap_err();
        assert!(matches!(error, DatasetError::NoImages { .. }));
    }
}

#[test]
fn the_last_images_are_set_apart_with_their_labels() {
    let images = Array3::from_shape_fn((5, 2, 1), |(index, row, _)| (10 * index + row) as u8);
    let dataset = Dataset::new(images, vec![0, 1, 2, 3, 4], 10).unwrap();
    let (first, last) = dataset.clone().split_last(2).unwrap();
    assert_eq!((first.labels(), last.labels()), (&[0, 1, 2][..], &[3, 4][..]));
    assert_eq!((first.pixels(2), last.pixels(0)), (&[20, 21][..], &[30, 31][..]));
    assert_eq!(last.n_classes(), 10);
    for n_images in [0, 5, 6] {
        let error = dataset.clone().split_last(n_images).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{n_images} of 5 images cannot be set apart, expected 1 to 4")
        );
    }
}
