//! Where tensors live; the only place that chooses an engine.

use burn::tensor::Device;
use clap::ValueEnum;
use model::Network;

use crate::{
    adam::Adam,
    engine::{BurnEngine, Engine},
};

/// What computes a training run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceKind {
    /// burn on the CPU, through the crate ndarray
    Ndarray,
}

impl DeviceKind {
    /// Engine and device as the artifact names them.
    pub(crate) fn engine_name(self) -> &'static str {
        match self {
            Self::Ndarray => "burn ndarray",
        }
    }

    /// An engine that starts with the weights of `initial`.
    pub(crate) fn start_engine(self, initial: &Network, adam: Adam) -> Box<dyn Engine> {
        match self {
            Self::Ndarray => Box::new(BurnEngine::new(ndarray(), initial, adam)),
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
