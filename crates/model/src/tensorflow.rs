//! What a TensorFlow SavedModel folder is made of: messages, and the bundle that holds the variables.

pub(crate) mod bundle;
mod checksum;
pub(crate) mod messages;
mod table;
