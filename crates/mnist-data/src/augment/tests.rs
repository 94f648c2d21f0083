use ndarray::Array3;
use proptest::prelude::*;

use super::*;
use crate::{Affine, Elastic, RowNoise, Shift};

/// Everything at once, so that every kind meets every other.
fn everything() -> Augmentation {
    Augmentation {
        shift: Shift { share: 0.5, pixels: 2 },
        affine: Affine {
            share: 0.4,
            rotation: 20.0,
            scale: 0.2,
            shear: 0.3,
        },
        elastic: Elastic {
            share: 0.4,
            pixels: 1.0,
            smoothness: 2.0,
        },
        noise: RowNoise {
            share: 0.3,
            amplitude: 1.0,
        },
    }
}

fn dataset(n_images: usize, height: usize, width: usize) -> Dataset {
    let mut random = Random::new(7, 7);
    let images = Array3::from_shape_simple_fn((n_images, height, width), || random.below(256) as u8);
    Dataset::new(images, (0..n_images).map(|image| (image % 10) as u8).collect(), 10).unwrap()
}

fn augmenter(dataset: &Dataset, augmentation: Augmentation, n_threads: usize) -> Augmenter<'_> {
    Augmenter::new(dataset, augmentation, 5, NonZeroUsize::new(n_threads).unwrap()).unwrap()
}

/// Every row of a stretch as a network gets it, with its label.
fn shown(dataset: &Dataset, stretch: &Stretch) -> Vec<(u8, Vec<f32>)> {
    let row = |&row: &u32| {
        let mut pixels = vec![f32::NAN; dataset.n_pixels()];
        (stretch.scale_into(dataset, row, &mut pixels), pixels)
    };
    stretch.rows().iter().map(row).collect()
}

fn fill(augmenter: &Augmenter<'_>, first_step: u64, rows_per_step: usize, rows: &[u32]) -> Vec<(u8, Vec<f32>)> {
    let mut stretch = Stretch::default();
    augmenter.fill(first_step, rows_per_step, rows, &mut stretch);
    shown(augmenter.dataset, &stretch)
}

#[test]
fn shares_of_zero_leave_the_rows_as_they_are() {
    let dataset = dataset(9, 4, 4);
    let rows = [8, 0, 3, 3, 7, 1];
    let mut stretch = Stretch::default();
    augmenter(&dataset, Augmentation::default(), 2).fill(0, 2, &rows, &mut stretch);
    assert_eq!(stretch.rows(), rows);
    assert!(stretch.moved().is_empty() && stretch.noisy().is_empty());
}

#[test]
fn rows_keep_their_labels_and_are_numbered_by_kind() {
    let dataset = dataset(40, 6, 5);
    let rows: Vec<u32> = (0..40).cycle().take(400).collect();
    let mut stretch = Stretch::default();
    augmenter(&dataset, everything(), 2).fill(0, 100, &rows, &mut stretch);
    let (n_moved, n_noisy) = (stretch.moved_labels().len(), stretch.noisy_labels().len());
    assert_eq!(stretch.moved().len(), n_moved * 30);
    assert_eq!(stretch.noisy().len(), n_noisy * 30);
    let mut made: Vec<u32> = stretch.rows().iter().copied().filter(|&row| row >= 40).collect();
    made.sort_unstable();
    assert!(made.into_iter().eq(40..40 + (n_moved + n_noisy) as u32));
    for (&image, (label, _)) in rows.iter().zip(shown(&dataset, &stretch)) {
        assert_eq!(u32::from(label), image % 10);
    }
}

#[test]
fn each_kind_takes_its_share_of_the_rows() {
    let dataset = dataset(10, 8, 8);
    let rows = vec![3; 20_000];
    let mut stretch = Stretch::default();
    let mut augmentation = everything();
    augmentation.noise.share = 0.25;
    augmenter(&dataset, augmentation, 2).fill(0, 100, &rows, &mut stretch);
    // Of the rows without noise those stay that are neither mapped nor bent, and not shifted or, one of 25, shifted by
    // 0.
    let (moved, noisy) = (stretch.moved_labels().len() as f64, stretch.noisy_labels().len() as f64);
    assert!((noisy / 20_000.0 - 0.25).abs() < 0.01, "{noisy}");
    let stays = 0.6 * 0.6 * (0.5 + 0.5 / 25.0);
    assert!((moved / 15_000.0 - (1.0 - stays)).abs() < 0.015, "{moved}");
}

#[test]
fn a_row_differs_from_step_to_step_and_from_place_to_place() {
    let dataset = dataset(4, 12, 12);
    let mut augmentation = everything();
    augmentation.affine.share = 1.0;
    let mut images = fill(&augmenter(&dataset, augmentation, 1), 0, 8, &[2; 64]);
    images.sort_by(|one, other| one.partial_cmp(other).unwrap());
    images.dedup();
    assert_eq!(images.len(), 64);
}

#[test]
fn another_seed_gives_other_rows() {
    let dataset = dataset(4, 8, 8);
    let rows = |seed| {
        let augmenter = Augmenter::new(&dataset, everything(), seed, NonZeroUsize::MIN).unwrap();
        fill(&augmenter, 0, 4, &[0, 1, 2, 3])
    };
    assert_eq!(rows(1), rows(1));
    assert_ne!(rows(1), rows(2));
}

#[test]
fn a_buffer_that_held_other_rows_makes_no_difference() {
    let dataset = dataset(30, 8, 8);
    let augmenter = augmenter(&dataset, everything(), 2);
    let rows: Vec<u32> = (0..30).collect();
    let mut stretch = Stretch::default();
    augmenter.fill(9, 10, &rows.repeat(20), &mut stretch);
    augmenter.fill(4, 10, &rows, &mut stretch);
    assert_eq!(shown(&dataset, &stretch), fill(&augmenter, 4, 10, &rows));
}

/// Seeds that people wrote down must keep their meaning, and a resumed training its rows.
#[test]
fn rows_never_change() {
    let dataset = dataset(4, 5, 6);
    let rows = fill(
        &augmenter(&dataset, everything(), 1),
        1_000,
        4,
        &[0, 1, 2, 3].repeat(50),
    );
    let bits = rows.iter().flat_map(|(_, pixels)| pixels).map(|pixel| pixel.to_bits());
    let digest = bits.fold(0_u32, |digest, bits| {
        digest.rotate_left(5) ^ bits.wrapping_mul(0x9e37_79b1)
    });
    expect_test::expect!["5dbd5fe1"].assert_eq(&format!("{digest:08x}"));
}

#[test]
fn settings_out_of_range_are_refused_with_the_range() {
    let dataset = dataset(2, 6, 4);
    let check = |change: &dyn Fn(&mut Augmentation), expected: expect_test::Expect| {
        let mut augmentation = everything();
        change(&mut augmentation);
        let error = Augmenter::new(&dataset, augmentation, 1, NonZeroUsize::MIN).unwrap_err();
        expected.assert_eq(&error.to_string());
    };
    check(
        &|settings| settings.shift.share = 1.5,
        expect_test::expect!["the share of shifted rows is 1.5, expected from 0 to 1"],
    );
    check(
        &|settings| settings.noise.amplitude = f64::NAN,
        expect_test::expect!["the amplitude of the noise is NaN, expected from 0 to 10"],
    );
    check(
        &|settings| settings.elastic.smoothness = 0.0,
        expect_test::expect!["the smoothness of elastic maps in pixels is 0, expected from 0.5 to 32"],
    );
    check(
        &|settings| settings.shift.pixels = 4,
        expect_test::expect!["images of 6 × 4 pixels cannot be shifted by up to 4 pixels: expected less than a side"],
    );
}

proptest! {
    #[test]
    fn rows_depend_neither_on_threads_nor_on_how_steps_are_dealt_out(
        (height, width) in (3_usize..20, 3_usize..20),
        rows_per_step in 1_usize..40,
        n_steps in 1_usize..9,
        split in 0_usize..9,
        n_threads in 2_usize..5,
    ) {
        let dataset = dataset(11, height, width);
        let rows: Vec<u32> = (0..11).cycle().take(rows_per_step * n_steps).collect();
        let together = fill(&augmenter(&dataset, everything(), 1), 7, rows_per_step, &rows);
        let split = split.min(n_steps);
        let (before, after) = rows.split_at(split * rows_per_step);
        let augmenter = augmenter(&dataset, everything(), n_threads);
        let mut dealt = fill(&augmenter, 7, rows_per_step, before);
        dealt.extend(fill(&augmenter, 7 + split as u64, rows_per_step, after));
        prop_assert_eq!(dealt, together);
    }
}
