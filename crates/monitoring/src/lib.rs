//! What went through a model and whether it still looks like the training data: for now the profile of the training
//! data, with which production traffic will be compared.
//!
//! It never touches files or the network: numbers go in, a sketch comes out.
//! Start reading at [`Profiler`].

mod profile;

pub use profile::Profiler;
