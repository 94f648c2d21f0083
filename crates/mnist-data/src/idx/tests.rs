use expect_test::{Expect, expect};
use ndarray::arr2;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};

use super::*;

fn check(bytes: &[u8], expected: Expect) {
    expected.assert_eq(&parse(bytes).unwrap_err().to_string());
}

/// The bytes of an IDX file of `dimensions`, with `elements` as they are.
fn file(code: u8, dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|dimension| dimension.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

#[test]
fn bytes_are_read_row_by_row() {
    let array = parse(&file(0x08, &[2, 3], &[1, 2, 3, 4, 5, 6])).unwrap();
    assert_eq!(array, IdxArray::U8(arr2(&[[1, 2, 3], [4, 5, 6]]).into_dyn()));
}

#[test]
fn every_type_is_read_big_endian() {
    let texts: Vec<String> = [
        file(0x09, &[1], &[0xff]),
        file(0x0b, &[1], &[0xff, 0xfe]),
        file(0x0c, &[1], &[0, 0, 1, 0]),
        file(0x0d, &[1], &1.5_f32.to_be_bytes()),
        file(0x0e, &[1], &(-2.25_f64).to_be_bytes()),
    ]
    .iter()
    .map(|bytes| {
        let array = parse(bytes).unwrap();
        let name = array.header().element.name();
        match array {
            IdxArray::U8(array) => format!("{name} {array}"),
            IdxArray::I8(array) => format!("{name} {array}"),
            IdxArray::I16(array) => format!("{name} {array}"),
            IdxArray::I32(array) => format!("{name} {array}"),
            IdxArray::F32(array) => format!("{name} {array}"),
            IdxArray::F64(array) => format!("{name} {array}"),
        }
    })
    .collect();
    assert_eq!(
        texts,
        [
            "signed byte [-1]",
            "short [-2]",
            "int [256]",
            "float [1.5]",
            "double [-2.25]"
        ]
    );
}

#[test]
fn a_set_without_images_is_an_array_without_elements() {
    assert_eq!(
        parse(&file(0x08, &[0, 28, 28], &[])).unwrap().header().dimensions,
        [0, 28, 28]
    );
}

#[test]
fn a_header_that_is_cut_off_is_refused() {
    check(
        b"",
        expect!["at byte 0: expected four bytes of magic number, found the end of the file"],
    );
    check(
        &[0, 0, 8],
        expect!["at byte 0: expected four bytes of magic number, found the end of the file"],
    );
    check(
        &[0, 0, 8, 2, 0, 0, 0, 1, 0],
        expect!["at byte 8: expected dimension 2 of 2, found the end of the file"],
    );
}

#[test]
fn a_magic_number_of_another_format_is_refused() {
    check(
        b"\x1f\x8b\x08\x00",
        expect!["at byte 0: expected the bytes 00 00, found 1F 8B"],
    );
    check(
        &[0, 0, 7, 1],
        expect!["at byte 2: expected a type code (08, 09, 0B, 0C, 0D or 0E), found 07"],
    );
    check(
        &[0, 0, 8, 0],
        expect!["at byte 3: expected at least one dimension, found 00"],
    );
}

#[test]
fn a_file_that_is_too_short_or_too_long_is_refused() {
    let short = file(0x08, &[2, 2], &[1, 2, 3]);
    check(
        &short,
        expect!["at byte 15: expected 4 bytes of elements from byte 12, found the end after 3 of them"],
    );
    let long = file(0x0b, &[2], &[1, 2, 3, 4, 5]);
    check(
        &long,
        expect!["at byte 12: expected the end of the file, found 1 more bytes"],
    );
}

#[test]
fn dimensions_that_would_not_fit_into_memory_are_refused_before_memory_is_taken() {
    let product = file(0x08, &[u32::MAX, u32::MAX, u32::MAX], &[]);
    check(
        &product,
        expect![
            "at byte 4: expected dimensions of at most 1073741824 bytes together, found 4294967295 × 4294967295 × 4294967295"
        ],
    );
    let hidden_by_zero = file(0x0e, &[0, u32::MAX, u32::MAX, u32::MAX], &[]);
    check(
        &hidden_by_zero,
        expect![
            "at byte 4: expected dimensions of at most 1073741824 bytes together, found 0 × 4294967295 × 4294967295 × 4294967295"
        ],
    );
    let large = file(0x0e, &[1 << 28], &[]);
    check(
        &large,
        expect!["at byte 4: expected dimensions of at most 1073741824 bytes together, found 268435456"],
    );
}

/// The product fits into 64 bits, but not into the signed ones of ndarray, which refused it with a panic.
#[test]
fn huge_dimensions_beside_a_zero_are_refused_where_ndarray_refuses_them() {
    check(
        &file(0x08, &[0, u32::MAX, u32::MAX], &[]),
        expect![
            "at byte 4: expected dimensions of at most 1073741824 bytes together, found 0 × 4294967295 × 4294967295"
        ],
    );
}

#[test]
fn a_file_is_named_in_its_errors() {
    let workspace = test_support::Workspace::new();
    let path = workspace.write("broken", b"<html>");
    let error = read_file(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("`{}` is no usable IDX file", path.display()));
    let error = read_file(&workspace.join("missing")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot open `{}`", workspace.join("missing").display())
    );
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_or_an_error(bytes in vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }

    /// Random bytes hardly ever get past the magic number, so this one is always right.
    #[test]
    fn any_header_gives_a_value_or_an_error(
        code in 7_u8..16, dimensions in vec(any::<u32>(), 0..6), small in vec(0_u32..4, 0..6),
        elements in vec(any::<u8>(), 0..64),
    ) {
        let _ = parse(&file(code, &dimensions, &elements));
        let _ = parse(&file(code, &small, &elements));
    }

    #[test]
    fn what_is_written_is_read_back(rows in vec(any::<[u8; 5]>(), 1..20)) {
        let bytes = file(0x08, &[rows.len() as u32, 5], &rows.concat());
        let IdxArray::U8(array) = parse(&bytes).unwrap() else { panic!("bytes became another type") };
        prop_assert_eq!(array.shape(), &[rows.len(), 5]);
        prop_assert_eq!(array.into_raw_vec_and_offset().0, rows.concat());
    }

    #[test]
    fn a_whole_file_without_its_last_bytes_is_refused(n_rows in 1_u32..9, n_cut in 1_usize..9) {
        let mut bytes = file(0x0d, &[n_rows, 2], &vec![7; n_rows as usize * 8]);
        bytes.truncate(bytes.len() - n_cut.min(bytes.len()));
        prop_assert_eq!(parse(&bytes).is_err(), true);
    }
}
