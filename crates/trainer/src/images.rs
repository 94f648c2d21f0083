//! The images of a run: loaded, and fetched first where they are missing.

use std::{iter, num::NonZeroU32, path::Path, sync::atomic::AtomicBool};

use anyhow::Context;
use console::Temporary;
use formats::{
    digest::{Digest, Digester},
    profile::DataProfile,
    report::ImageCounts,
};
use mnist_data::{Dataset, DownloadDisplay, DownloadError, DownloadSettings, LoadError, Split, download::FileState};
use monitoring::Profiler;

use crate::settings::Settings;

/// Fewest outputs of the network: as many as there are digits, also where a set of images shows only some of them.
const CLASSES_MIN: usize = 10;
/// Labels are bytes.
const CLASSES_MAX: usize = 256;

/// The sets of images.
///
/// Invariant: of the same size, with labels below `n_classes`.
pub(crate) struct Images {
    pub(crate) train: Dataset,
    /// The last training images, where some are held out.
    pub(crate) held_out: Option<Dataset>,
    pub(crate) test: Dataset,
    pub(crate) n_classes: usize,
}

impl Images {
    /// Loads both sets, or nothing if it was `interrupted` while it fetched them.
    ///
    /// # Errors
    ///
    /// Where files are missing and cannot or shall not be fetched, are damaged, or do not belong together.
    pub(crate) fn load(settings: &Settings, interrupted: &AtomicBool) -> anyhow::Result<Option<Self>> {
        let images = match Self::read(&settings.data_dir) {
            Err(error) if error.is_missing_file() && settings.download => {
                if !fetch(&settings.data_dir, interrupted)? {
                    return Ok(None);
                }
                Self::read(&settings.data_dir)
            }
            images => images,
        };
        let images = images.context("cannot load the images")?;
        let (train_size, test_size) = (images.train.image_size(), images.test.image_size());
        anyhow::ensure!(
            train_size == test_size,
            "the test images in `{}` have {} × {} pixels, expected {} × {} as the training images have",
            settings.data_dir.display(),
            test_size.0,
            test_size.1,
            train_size.0,
            train_size.1
        );
        match settings.limits.held_out {
            Some(n_images) => Ok(Some(images.hold_out(n_images)?)),
            None => Ok(Some(images)),
        }
    }

    fn read(data_dir: &Path) -> Result<Self, LoadError> {
        let train = Dataset::load(data_dir, Split::Train, CLASSES_MAX)?;
        let largest = train.labels().iter().copied().max().unwrap_or(0);
        let n_classes = CLASSES_MIN.max(usize::from(largest) + 1);
        let test = Dataset::load(data_dir, Split::Test, n_classes)?;
        Ok(Self {
            train,
            held_out: None,
            test,
            n_classes,
        })
    }

    /// Sets the last training images apart.
    fn hold_out(self, n_images: NonZeroU32) -> anyhow::Result<Self> {
        let parts = self.train.split_last(usize::try_from(n_images.get())?);
        let (train, held_out) = parts.context("cannot hold images out of the training")?;
        Ok(Self {
            train,
            held_out: Some(held_out),
            ..self
        })
    }

    /// What tells the training images, held-out ones included, from any others.
    pub(crate) fn training_digest(&self) -> Digest {
        let mut digester = Digester::default();
        let (height, width) = self.train.image_size();
        digester.update(format!("{height} × {width}, {} classes", self.n_classes).as_bytes());
        for images in iter::once(&self.train).chain(&self.held_out) {
            digester.update(images.images().as_slice().expect("a data set is in standard layout"));
        }
        for images in iter::once(&self.train).chain(&self.held_out) {
            digester.update(images.labels());
        }
        digester.finish()
    }

    /// How many there are, and how large.
    pub(crate) fn counts(&self) -> ImageCounts {
        let (rows, columns) = self.train.image_size();
        ImageCounts {
            train: self.train.n_images() as u64,
            held_out: self.held_out.as_ref().map_or(0, Dataset::n_images) as u64,
            test: self.test.n_images() as u64,
            rows: rows as u64,
            columns: columns as u64,
        }
    }

    /// A sketch of the training images.
    pub(crate) fn profile(&self) -> DataProfile {
        let (rows, columns) = self.train.image_size();
        let mut profiler = Profiler::new(rows, columns, self.n_classes);
        let mut pixels = vec![0.0; self.train.n_pixels()];
        for (index, &label) in self.train.labels().iter().enumerate() {
            self.train.scale_into(index, &mut pixels);
            profiler.add(&pixels, label.into());
        }
        profiler.finish()
    }
}

/// Fetches the files that are missing; false if it was `interrupted`.
fn fetch(data_dir: &Path, interrupted: &AtomicBool) -> anyhow::Result<bool> {
    let place = data_dir.display();
    for (known, state) in mnist_data::verify(data_dir, false)? {
        // Files of another data set are somebody's own: fetching would replace them by those of MNIST.
        anyhow::ensure!(
            !matches!(state, FileState::Wrong(_)),
            "files are missing in `{place}`, and are not fetched because `{}` there is not the one of MNIST",
            known.name
        );
    }
    let mut display = DownloadDisplay::default();
    let settings = DownloadSettings::public();
    match mnist_data::ensure(data_dir, &settings, interrupted, &mut |event| display.show(event)) {
        Ok(_) => Ok(true),
        Err(DownloadError::Interrupted(_)) => Ok(false),
        Err(error) if error.may_pass() => Err(error).context(Temporary("the images cannot be fetched right now")),
        Err(error) => Err(error).with_context(|| format!("cannot fetch the images into `{place}`")),
    }
}
