//! The arithmetic of a small network, and nothing else: dense layers, ReLU, softmax and arg max on plain slices.
//!
//! It never allocates, never touches files and knows neither images nor models. Sizes are the caller's promise: a
//! slice of a wrong length is a mistake in the program and panics.
//! Start reading at [`dense`], where nearly all the time is spent.

mod activation;
mod dense;

pub use activation::{arg_max, relu, softmax};
pub use dense::dense;
