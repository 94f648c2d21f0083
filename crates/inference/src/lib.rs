//! Applications and the loaded models behind them: deploy, split traffic, predict.
//!
//! It knows nothing of HTTP and keeps nothing on disk: what is deployed lives in the registry, and the applications in
//! memory follow it. A request works on the snapshot it took, so a deploy never concerns a request that has begun.
//! Start reading at [`Applications`], then [`Route::predict`].

mod application;
mod applications;
mod broken;
mod direct;
mod engine;
mod error;
mod follow;
mod predict;
mod split;
mod stages;
#[cfg(test)]
mod tests;

pub use application::{Application, Route};
pub use applications::Applications;
pub use engine::Engine;
pub use error::{BrokenArtifact, InferenceError, with_causes};
pub use follow::Change;
pub use model::Scratch;
pub use predict::Prediction;
/// What applications are read from; its errors come out of most calls here.
pub use registry::{Bucket, Credentials, Registry, RegistryError};
pub use split::{SplitError, TrafficSplit};
