//! The arithmetic of a small network on plain slices: dense layers, ReLU, softmax and arg max; and what is asked of the
//! machine below safe Rust.
//!
//! It never touches files and knows neither images nor models. Sizes are the caller's promise: a slice of a wrong length
//! is a mistake in the program and panics.
//! Start reading at [`Forward`], which answers, or at [`Network`], which is trained; `forward.rs` and `training.rs` say
//! how they work and why they are fast.

#![deny(unsafe_op_in_unsafe_fn)]

mod activation;
mod bits;
mod denormals;
mod forward;
mod lanes;
mod memory;
mod simd;
mod team;
mod training;

pub use activation::{arg_max, softmax};
pub use forward::{Forward, Scratch};
pub use memory::give_back_large_blocks;
pub use simd::InstructionSet;
pub use training::{
    Network, NetworkSettings,
    adam::AdamSettings,
    draw::Extra,
    pixel_order::PixelOrder,
    samples::Samples,
    state::{LayerParameters, OptimizerState},
};
