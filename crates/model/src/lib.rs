//! A trained network and how it is kept: layers, weights, classification of a batch, artifact and checkpoint files in
//! and out, exports for the programs of others, and what is taken in from them.
//!
//! It never trains, never touches the file system and never trusts bytes: whatever it cannot prove to be a whole,
//! unaltered and finite network is refused with one sentence.
//! Start reading at [`Artifact`], then [`Classifier`].

mod artifact;
mod checkpoint;
mod classifier;
pub mod contract;
pub mod export;
pub mod import;
mod network;
mod tensorflow;

pub use artifact::{Artifact, ArtifactError, HEADER_BYTES_MAX, LAYERS_MAX, WIDTH_MAX};
pub use checkpoint::{Checkpoint, CheckpointError, TrainingState};
pub use classifier::{Classified, Classifier, Overflow, PreparedNetwork, Scratch};
pub use network::{Layer, Network, NetworkError};
pub use tensorflow::events;
