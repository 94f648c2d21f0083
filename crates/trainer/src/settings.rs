//! What a run was asked to do.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use kernels::InstructionSet;

use crate::{device::DeviceKind, schedule::Schedule};

/// Places and settings of a run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) models_dir: PathBuf,
    /// Fetch data files that are missing.
    pub(crate) download: bool,
    pub(crate) training: TrainingSettings,
    pub(crate) compute: Compute,
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

/// How much of the machine computes: decides the time, and not the weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compute {
    pub(crate) n_threads: NonZeroUsize,
    pub(crate) instruction_set: InstructionSet,
}
