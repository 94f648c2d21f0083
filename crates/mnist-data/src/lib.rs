//! MNIST (and every data set in IDX format) as files and as arrays: fetch, verify, unpack, parse, scale, batch,
//! augment, add noise.
//!
//! It never trains and never shows half a file: whatever stands under one of the four names is whole and verified.
//! Start reading at [`Dataset::load`] for the arrays and at [`ensure`] for the files.

mod augment;
mod batches;
pub mod cli;
mod dataset;
mod display;
pub mod download;
mod files;
mod gzip;
pub mod idx;
mod noise;
mod npz;
pub mod program;
mod random;

pub use augment::{
    Augmenter,
    affine::Affine,
    elastic::Elastic,
    noise::RowNoise,
    settings::{Augmentation, AugmentationError, Setting},
    shift::Shift,
    stretch::Stretch,
};
pub use batches::{Batch, BatchSizeError, Batches};
pub use dataset::{Dataset, DatasetError, LoadError};
pub use display::DownloadDisplay;
pub use download::{DownloadError, DownloadSettings, DownloadSummary, Source, ensure, verify};
pub use files::{FILES, KnownFile, Split, sha256};
pub use noise::Noise;
pub use npz::{ExportError, export_npz};
pub use random::Random;
