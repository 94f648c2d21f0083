//! The shapes in which a field may be written.

use crate::signature::{Dimension, Field};

/// One shape in which a field may be written: the length of each level, `None` where any is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout(pub(crate) Vec<Option<usize>>);

/// Every way to write `field`: as it is, without the outermost level where that stands for one image, and both with
/// the inner levels flattened.
pub(crate) fn layouts(field: &Field) -> Vec<Layout> {
    let full: Vec<Option<usize>> = field.shape.iter().map(|dimension| length(*dimension)).collect();
    let n_batch_levels = usize::from(full.first() == Some(&None));
    let (batch, item) = full.split_at(n_batch_levels);
    let mut layouts = vec![Layout(full.clone())];
    if !batch.is_empty() && !item.is_empty() {
        layouts.push(Layout(item.to_vec()));
    }
    let flat_length = item
        .iter()
        .try_fold(1_usize, |product, length| product.checked_mul((*length)?));
    if let (Some(flat_length), true) = (flat_length, item.len() > 1) {
        layouts.push(Layout(vec![Some(flat_length)]));
        if !batch.is_empty() {
            layouts.push(Layout(vec![None, Some(flat_length)]));
        }
    }
    layouts
}

/// The length of a dimension, `None` where any is right.
pub(crate) fn length(dimension: Dimension) -> Option<usize> {
    match dimension {
        Dimension::Any => None,
        Dimension::Fixed(length) => Some(length as usize),
    }
}
