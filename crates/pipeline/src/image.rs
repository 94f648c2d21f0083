//! The image with our programs: built by a program that is there, and brought to where a cluster finds it.

mod archive;
mod builder;
mod lines;
mod nodes;
mod revision;

use std::fmt;

use clap::ValueEnum;
use thiserror::Error;

pub(crate) use builder::{Builder, Stopped};
pub(crate) use lines::Recipe;
pub(crate) use nodes::Loader;
pub(crate) use revision::Revision;

/// Programs that build images, in the order in which they are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tool {
    Docker,
    Podman,
    Buildctl,
}

/// Which of the images of the Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// Static programs and nothing else
    Cpu,
    /// What trains on a graphics card, with Debian and the Vulkan loader around it
    Wgpu,
}

/// An image is not to be had from here.
#[derive(Debug, Error)]
pub(crate) enum ImageError {
    /// Nothing that builds images is on the PATH.
    #[error("nothing builds images here: none of `docker`, `podman` and `buildctl` is on the PATH")]
    NoTool,
    /// What would build them has nobody to do it.
    #[error("nothing builds images here:{}", list(.0))]
    NoEngine(Vec<(Tool, String)>),
    /// A program ended ill; what it wrote was shown.
    #[error("`{command}` {ended}")]
    Failed { command: String, ended: String },
    /// The image is kept by nobody who could be asked for it.
    #[error("`buildctl` keeps no images, so nobody can be asked for one by its name")]
    NotKept,
    /// Nobody knows how the nodes come to images.
    #[error("context `{0}` is none of kind, k3d or minikube, so nothing is known of how its nodes come to an image")]
    NoLoader(String),
}

impl Tool {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Buildctl => "buildctl",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl ImageError {
    /// What helps.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoTool => "install one of them, or build elsewhere and name the image with `pipeline up --image`",
            Self::NoEngine(_) => {
                "start the engine (`systemctl start docker`, say), or choose another program with `--tool`"
            }
            Self::Failed { .. } => "the lines above are what it says about it",
            Self::NotKept => "`pipeline image push` hands the image to a registry, `--archive` leaves it in a file",
            Self::NoLoader(_) => {
                "`--with` names a command that loads an image by its name; `pipeline image push` hands it to a registry"
            }
        }
    }
}

fn list(complaints: &[(Tool, String)]) -> String {
    let lines = complaints.iter();
    lines
        .map(|(tool, complaint)| format!("\n  `{tool}`: {complaint}"))
        .collect()
}
