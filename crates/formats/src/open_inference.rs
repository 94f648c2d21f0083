//! The Open Inference Protocol V2, as far as it is the same over HTTP and gRPC: what may be sent for a signature's
//! inputs, requests in JSON with or without tensors in binary form, answers, and the documents around them.
//!
//! The protocol: <https://github.com/kserve/open-inference-protocol>; its extensions for binary tensors, model
//! repositories and statistics are those of Triton.

pub mod announced;
pub mod answer;
pub mod documents;
pub mod element;
pub mod outputs;
pub mod request;
#[cfg(test)]
mod tests;
