//! Where tensors live; the only place that chooses an engine.

use burn::tensor;
use clap::ValueEnum;
use mnist_data::Dataset;
use model::Network;
use thiserror::Error;

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
    /// burn on a graphics card, where the trainer is built with the feature `wgpu`
    Wgpu,
}

/// A device that is there and ready.
pub(crate) struct Device {
    name: String,
    /// Where burn keeps its tensors; nowhere for the native engine.
    tensors: Option<tensor::Device>,
}

/// A device that cannot be used.
#[derive(Debug, Error)]
pub enum DeviceError {
    #[error("this build of the trainer knows no graphics cards")]
    NotBuilt,
    #[error("no graphics card can be used for the training")]
    NoAdapter(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DeviceKind {
    /// Engine and device in words that do not depend on the machine.
    pub(crate) fn engine_name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Flex => "burn flex",
            Self::Ndarray => "burn ndarray",
            Self::Wgpu => "burn wgpu",
        }
    }

    /// Looks whether the device is there. To be called once in a process for a graphics card, which burn does not open
    /// twice.
    ///
    /// # Errors
    ///
    /// Where it is not, or this build has no use for it.
    pub(crate) fn open(self) -> Result<Device, DeviceError> {
        let name = self.engine_name();
        Ok(match self {
            Self::Native => Device::new(name, None),
            Self::Flex => Device::new(name, Some(tensor::Device::flex())),
            Self::Ndarray => Device::new(name, Some(ndarray())),
            Self::Wgpu => {
                let (tensors, adapter) = graphics_card()?;
                Device::new(&format!("{name} on {adapter}"), Some(tensors))
            }
        })
    }
}

impl Device {
    fn new(name: &str, tensors: Option<tensor::Device>) -> Self {
        Self {
            name: name.to_owned(),
            tensors,
        }
    }

    /// Engine and device as the artifact names them, with the graphics card where there is one.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// An engine that starts with the weights of `initial` and trains on rows made from `dataset`.
    pub(crate) fn start_engine<'a>(
        &self,
        dataset: &'a Dataset,
        initial: &Network,
        settings: &TrainingSettings,
        compute: Compute,
    ) -> Box<dyn Engine + 'a> {
        match &self.tensors {
            None => Box::new(NativeEngine::new(dataset, initial, settings, compute)),
            Some(tensors) => Box::new(BurnEngine::new(tensors.clone(), dataset, initial, settings)),
        }
    }
}

#[expect(
    deprecated,
    reason = "burn is pinned to a release that has this device, and users ask for it by name"
)]
fn ndarray() -> tensor::Device {
    tensor::Device::ndarray()
}

/// The card that burn takes for the best, and what it is called. Asked for outright: where burn finds none at the first
/// tensor, it panics.
#[cfg(feature = "wgpu")]
fn graphics_card() -> Result<(tensor::Device, String), DeviceError> {
    let opened = tensor::Device::wgpu_options().init_with_setup();
    let (tensors, setup) = opened.map_err(|error| DeviceError::NoAdapter(error.into()))?;
    let adapter = setup.adapter.get_info();
    Ok((tensors, format!("{} ({})", adapter.name, adapter.backend)))
}

#[cfg(not(feature = "wgpu"))]
fn graphics_card() -> Result<(tensor::Device, String), DeviceError> {
    Err(DeviceError::NotBuilt)
}
