//! Trains the MNIST classifier and leaves one artifact with a report beside it.
//!
//! It never serves, never registers, and leaves nothing where a run was stopped or went wrong: an artifact of an
//! earlier run stays as it was. It is the only crate that knows burn.
//! Start reading at [`run`], which is the whole program in order.

mod adam;
pub mod cli;
mod device;
mod engine;
mod evaluation;
mod images;
mod initial;
mod models_dir;
mod run;
mod schedule;
mod settings;
mod summary;
mod training;

pub use run::run;
pub use training::Diverged;
