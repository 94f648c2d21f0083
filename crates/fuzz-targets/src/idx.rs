//! IDX files: the check without the elements and the reader agree.

use mnist_data::idx::{IdxArray, check, parse};

use crate::Outcome;

/// An IDX file.
pub fn idx(bytes: &[u8]) -> Outcome {
    match (parse(bytes), check(bytes)) {
        (Ok(array), Ok(header)) => {
            assert_eq!(array.header(), header);
            let n_elements: usize = header.dimensions.iter().product();
            assert_eq!(n_elements, length(&array));
            assert!(!header.dimensions_text().is_empty());
            Outcome::Accepted
        }
        (Err(error), Err(of_check)) => {
            assert_eq!(error.to_string(), of_check.to_string());
            Outcome::of(&error)
        }
        (parsed, checked) => panic!("parsed: {parsed:?}, checked: {checked:?}"),
    }
}

fn length(array: &IdxArray) -> usize {
    match array {
        IdxArray::U8(array) => array.len(),
        IdxArray::I8(array) => array.len(),
        IdxArray::I16(array) => array.len(),
        IdxArray::I32(array) => array.len(),
        IdxArray::F32(array) => array.len(),
        IdxArray::F64(array) => array.len(),
    }
}
