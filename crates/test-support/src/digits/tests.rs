use super::*;

#[test]
fn the_same_seed_draws_the_same_digits_and_another_seed_others() {
    let digits = Digits::draw(50, 7);
    assert_eq!(digits, Digits::draw(50, 7));
    assert_ne!(digits.images, Digits::draw(50, 8).images);
}

#[test]
fn every_ten_digits_hold_each_one_once() {
    for ten in Digits::draw(100, 3).labels.chunks(10) {
        let mut sorted = ten.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<u8>>());
    }
}

#[test]
fn most_pixels_are_paper_and_no_digit_touches_the_edge() {
    let digits = Digits::draw(500, 11);
    for image in digits.images.chunks(SIDE * SIDE) {
        let n_ink = image.iter().filter(|&&pixel| pixel > 0).count();
        assert!((30..300).contains(&n_ink), "{n_ink} pixels with ink");
        let rows = [&image[..SIDE], &image[(SIDE - 1) * SIDE..]].concat();
        assert!(rows.iter().all(|&pixel| pixel == 0));
    }
}

/// The nearest of 500 drawn digits tells what a digit of another seed shows: the classes can be told apart, and a
/// different seed makes a test set of the same kind.
#[test]
fn digits_of_another_seed_are_recognized_by_their_nearest_neighbour() {
    let (known, unknown) = (Digits::draw(500, 1), Digits::draw(100, 2));
    let n_right = unknown
        .images
        .chunks(SIDE * SIDE)
        .zip(&unknown.labels)
        .filter(|(image, label)| {
            let distance = |other: &[u8]| -> u64 {
                image
                    .iter()
                    .zip(other)
                    .map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2))
                    .sum()
            };
            let neighbours = known.images.chunks(SIDE * SIDE).zip(&known.labels);
            neighbours
                .min_by_key(|(other, _)| distance(other))
                .is_some_and(|(_, nearest)| nearest == *label)
        })
        .count();
    assert!(n_right >= 97, "{n_right} of 100 recognized");
}

#[test]
fn idx_bytes_have_a_header_of_the_right_size() {
    let digits = Digits::draw(20, 1);
    assert_eq!(
        &digits.images_idx()[..16],
        &[0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 28, 0, 0, 0, 28]
    );
    assert_eq!(digits.images_idx().len(), 16 + 20 * 784);
    assert_eq!(&digits.labels_idx()[..8], &[0, 0, 8, 1, 0, 0, 0, 20]);
    assert_eq!(digits.labels_idx().len(), 8 + 20);
}
