//! What a run was asked to do.

use std::{num::NonZeroU32, path::PathBuf};

use crate::{device::DeviceKind, schedule::Schedule};

/// Places and settings of a run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) models_dir: PathBuf,
    /// Fetch data files that are missing.
    pub(crate) download: bool,
    pub(crate) training: TrainingSettings,
}

/// Everything that decides which weights come out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainingSettings {
    pub(crate) steps: NonZeroU32,
    pub(crate) batch_size: NonZeroU32,
    pub(crate) learning_rate: f64,
    pub(crate) schedule: Schedule,
    pub(crate) seed: u64,
    pub(crate) device: DeviceKind,
}
