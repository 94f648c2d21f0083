//! Images with their labels, loaded from IDX files. The only place that scales pixels.

use std::ops::Range;
use std::path::Path;

use ndarray::{Array, Array1, Array2, Array3, ArrayView3, Dimension};

use crate::files::{KnownFile, Split};
use crate::idx::{self, Element, IdxArray, IdxFileError};

/// Images and what they show.
///
/// Pixels stay bytes, a quarter of the memory, and are scaled to \[0, 1\] when they are taken out.
///
/// Invariant: at least one image, of at least one pixel; as many labels as images; each label below `n_classes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    images: Array3<u8>, // [n_images, height, width]
    labels: Vec<u8>,    // [n_images]
    n_classes: usize,
}

/// A data set that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    File(#[from] IdxFileError),
    #[error("`{file}` holds {found}, expected {expected}")]
    Content {
        file: String,
        expected: String,
        found: String,
    },
    #[error("`{images_file}` and `{labels_file}` do not belong together")]
    Pair {
        images_file: String,
        labels_file: String,
        #[source]
        source: DatasetError,
    },
}

/// Images and labels that make no data set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    #[error("there are no images: expected at least one of at least one pixel, found {found}")]
    NoImages { found: String },
    #[error("expected as many labels as images, found {n_labels} labels and {n_images} images")]
    Count { n_images: usize, n_labels: usize },
    #[error("{n_images} of {n_all} images cannot be set apart, expected 1 to {}", .n_all - 1)]
    Split { n_images: usize, n_all: usize },
    #[error("label {index} is {found}, expected one below {n_classes}")]
    LabelRange { index: usize, found: u8, n_classes: usize },
}

impl Dataset {
    /// Loads one set from the unpacked IDX files in `data_dir`, with labels below `n_classes`.
    pub fn load(data_dir: &Path, split: Split, n_classes: usize) -> Result<Self, LoadError> {
        let (images_file, labels_file) = (split.images(), split.labels());
        let images: Array3<u8> = read_bytes(data_dir, images_file)?;
        let labels: Array1<u8> = read_bytes(data_dir, labels_file)?;
        Self::new(images, labels.to_vec(), n_classes).map_err(|source| LoadError::Pair {
            images_file: data_dir.join(images_file.name).display().to_string(),
            labels_file: data_dir.join(labels_file.name).display().to_string(),
            source,
        })
    }

    /// Joins images `[n_images, height, width]` with their labels.
    pub fn new(images: Array3<u8>, labels: Vec<u8>, n_classes: usize) -> Result<Self, DatasetError> {
        let (n_images, height, width) = images.dim();
        if images.is_empty() {
            return Err(DatasetError::NoImages {
                found: format!("{n_images} × {height} × {width}"),
            });
        }
        if n_images != labels.len() {
            return Err(DatasetError::Count {
                n_images,
                n_labels: labels.len(),
            });
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= n_classes) {
            return Err(DatasetError::LabelRange {
                index,
                found: labels[index],
                n_classes,
            });
        }
        // What comes from a file is so already, and is half of the memory that a training takes: no second copy.
        let images = match images.is_standard_layout() {
            true => images,
            false => images.as_standard_layout().into_owned(),
        };
        Ok(Self {
            images,
            labels,
            n_classes,
        })
    }

    /// Takes the last `n_images` images out and returns them as a set of their own.
    ///
    /// # Errors
    ///
    /// [`DatasetError::Split`] where one of the two sets would be empty.
    pub fn split_last(self, n_images: usize) -> Result<(Self, Self), DatasetError> {
        let (n_all, height, width) = self.images.dim();
        if !(1..n_all).contains(&n_images) {
            return Err(DatasetError::Split { n_images, n_all });
        }
        let n_first = n_all - n_images;
        let (mut pixels, _) = self.images.into_raw_vec_and_offset();
        let mut labels = self.labels;
        // The first part stays where it is: it is most of what a training keeps in memory.
        let last_pixels = pixels.split_off(n_first * height * width);
        let last_labels = labels.split_off(n_first);
        let part = |pixels, labels: Vec<u8>| Self {
            images: Array3::from_shape_vec((labels.len(), height, width), pixels)
                .expect("pixels and labels were split at the same image"),
            labels,
            n_classes: self.n_classes,
        };
        Ok((part(pixels, labels), part(last_pixels, last_labels)))
    }

    pub fn n_images(&self) -> usize {
        self.labels.len()
    }

    /// Height and width of every image.
    pub fn image_size(&self) -> (usize, usize) {
        let (_, height, width) = self.images.dim();
        (height, width)
    }

    /// Pixels of one image.
    pub fn n_pixels(&self) -> usize {
        let (height, width) = self.image_size();
        height * width
    }

    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// What each image shows. `[n_images]`
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The pixels as they are in the file, 0 to 255. `[n_images, height, width]`
    pub fn images(&self) -> ArrayView3<'_, u8> {
        self.images.view()
    }

    /// The pixels of one image as they are in the file, row by row. `[n_pixels]`
    pub fn pixels(&self, index: usize) -> &[u8] {
        let n_pixels = self.n_pixels();
        let all = self
            .images
            .as_slice()
            .expect("`new` brought the images into standard layout");
        &all[index * n_pixels..][..n_pixels]
    }

    /// The images of `range`, scaled to \[0, 1\]. `[n_range, n_pixels]`
    pub fn scaled(&self, range: Range<usize>) -> Array2<f32> {
        let mut scaled = Array2::zeros((range.len(), self.n_pixels()));
        for (index, mut row) in range.zip(scaled.rows_mut()) {
            self.scale_into(index, row.as_slice_mut().expect("a fresh array has standard layout"));
        }
        scaled
    }

    /// Writes one image, scaled to \[0, 1\], into `row`. `[n_pixels]`
    pub fn scale_into(&self, index: usize, row: &mut [f32]) {
        for (scaled, &pixel) in row.iter_mut().zip(self.pixels(index)) {
            *scaled = scale(pixel);
        }
    }
}

/// A pixel of a file as the networks get it: 0 to 1.
#[inline(always)]
pub(crate) fn scale(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}

impl LoadError {
    /// Whether a file does not exist, so that fetching it would help.
    pub fn is_missing_file(&self) -> bool {
        match self {
            Self::File(IdxFileError::Open { source, .. }) => source.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
    }
}

/// Reads a file that must hold bytes in the dimensions `D`.
fn read_bytes<D: Dimension>(data_dir: &Path, known: KnownFile) -> Result<Array<u8, D>, LoadError> {
    let path = data_dir.join(known.name);
    let array = idx::read_file(&path)?;
    let header = array.header();
    let bytes = match array {
        IdxArray::U8(array) => array.into_dimensionality::<D>().ok(),
        _ => None,
    };
    bytes.ok_or_else(|| LoadError::Content {
        file: path.display().to_string(),
        expected: format!("{} elements in {} dimensions", Element::U8.name(), known.n_dimensions),
        found: format!(
            "{} elements in {} dimensions",
            header.element.name(),
            header.dimensions.len()
        ),
    })
}

#[cfg(test)]
mod tests;
