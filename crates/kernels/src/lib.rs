//! The arithmetic of a small network, and nothing else: dense layers, ReLU, softmax and arg max on plain slices.
//!
//! It never allocates, never touches files and knows neither images nor models. Sizes are the caller's promise: a
//! slice of a wrong length is a mistake in the program and panics.
//! Start reading at [`dense`], where nearly all the time is spent.
//!
//! Training keeps state and has a face of its own, [`Network`]; `training.rs` says how it works and why it is fast.

#![deny(unsafe_op_in_unsafe_fn)]

mod activation;
mod bits;
mod denormals;
mod dense;
mod lanes;
mod simd;
mod team;
mod training;

pub use activation::{arg_max, relu, softmax};
pub use dense::dense;
pub use simd::InstructionSet;
pub use training::{
    Network, NetworkSettings,
    adam::AdamSettings,
    draw::Extra,
    pixel_order::PixelOrder,
    samples::Samples,
    state::{LayerParameters, OptimizerState},
};
