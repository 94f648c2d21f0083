//! Everything one program writes and another reads: names, signature, tensors in JSON, manifest, artifact header,
//! registry documents, reports, API bodies.
//!
//! It never touches files or the network: text and bytes go in, typed values come out, or an error that names the
//! place. Every stored document carries a format number and is described in `docs/formats.md`.
//! Start reading at [`signature`] (what a model expects) and [`application`] (what is deployed).

pub mod api;
pub mod application;
pub mod artifact;
pub mod bucket;
pub mod checkpoint;
pub mod digest;
pub mod evaluation;
mod excerpt;
pub mod history;
pub mod hyperparameters;
pub mod instances;
pub mod journal;
pub mod manifest;
pub mod name;
pub mod open_inference;
pub mod profile;
pub mod report;
pub mod secrets;
pub mod signature;
pub mod sticky;
pub mod tensor;
pub mod version;
pub mod yaml;
