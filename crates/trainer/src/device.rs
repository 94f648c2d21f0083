//! Where tensors live; the only place that chooses an engine.

use burn::tensor::Device;
use clap::ValueEnum;
use mnist_data::Dataset;
use model::Network;

use crate::{
    engine::{BurnEngine, Engine, NativeEngine},
    settings::{Compute, TrainingSettings},
};

/// What computes a training run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceKind {
    /// Our own kernels on every core of the processor
    Native,
    /// burn on one core of the processor, on its own CPU backend
    Flex,
    /// burn on one core of the processor, through the crate ndarray
    Ndarray,
}

impl DeviceKind {
    /// Engine and device as the artifact names them.
    pub(crate) fn engine_name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Flex => "burn flex",
            Self::Ndarray => "burn ndarray",
        }
    }

    /// An engine that starts with the weights of `initial` and trains on rows made from `dataset`.
    pub(crate) fn start_engine<'a>(
        self,
        dataset: &'a Dataset,
        initial: &Network,
        settings: &TrainingSettings,
        compute: Compute,
    ) -> Box<dyn Engine + 'a> {
        match self {
            Self::Native => Box::new(NativeEngine::new(dataset, initial, settings, compute)),
            Self::Flex => Box::new(BurnEngine::new(Device::flex(), dataset, initial, settings)),
            Self::Ndarray => Box::new(BurnEngine::new(ndarray(), dataset, initial, settings)),
        }
    }
}

#[expect(
    deprecated,
    reason = "burn is pinned to a release that has this device, and users ask for it by name"
)]
fn ndarray() -> Device {
    Device::ndarray()
}
