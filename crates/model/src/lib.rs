//! A trained network and how it is kept: layers, weights, classification of a batch, artifact and checkpoint files in
//! and out, and exports for the programs of others.
//!
//! It never trains, never touches the file system and never trusts bytes: whatever it cannot prove to be a whole,
//! unaltered and finite network is refused with one sentence.
//! Start reading at [`Artifact`], then [`Classifier`].

mod artifact;
mod checkpoint;
mod classifier;
pub mod export;
mod network;
mod tensorflow;

pub use artifact::{Artifact, ArtifactError, HEADER_BYTES_MAX, LAYERS_MAX, WIDTH_MAX};
pub use checkpoint::{Checkpoint, CheckpointError, TrainingState};
pub use classifier::{Classified, Classifier, Overflow, PreparedNetwork, Scratch};
pub use network::{Layer, Network, NetworkError};
pub use tensorflow::events;
