//! Trains the MNIST classifier and leaves one artifact with a report beside it.
//!
//! It never serves, never registers, and leaves nothing where a run was stopped or went wrong: an artifact of an
//! earlier run stays as it was. It is the only crate that knows burn.
//! Start reading at `run.rs`, which is a training run in order.

mod adam;
mod announcement;
mod artifact;
mod checkpoints;
pub mod cli;
mod commands;
mod device;
mod engine;
mod evaluation;
mod folder;
mod gates;
mod history;
mod identity;
mod images;
mod initial;
mod interruption;
mod limits;
mod models_dir;
mod names;
mod recipe;
mod report;
mod run;
mod schedule;
mod settings;
mod staged;
mod summary;
mod training;

pub use commands::run;
pub use device::DeviceError;
pub use models_dir::Occupied;
pub use training::Diverged;
