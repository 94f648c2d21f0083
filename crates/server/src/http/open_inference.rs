//! The Open Inference Protocol V2 over HTTP, under `/v2`: translation only, over the same calls as the rest.
//!
//! A model is an application, with its split, or one version of a registered model. Errors are told as
//! `{"error": "…"}`: [`Dialect`](super::dialect::Dialect).

pub(super) mod endpoints;
pub(super) mod infer;
pub(super) mod models;
pub(super) mod repository;
mod schemas;
pub(super) mod statistics;

/// The header that tells the length of the JSON in a body that has binary tensors behind it.
const JSON_LENGTH: &str = "inference-header-content-length";
