//! What TensorFlow's files are made of: messages, the bundle that holds the variables of a SavedModel, and the records of
//! event files.

pub(crate) mod bundle;
mod checksum;
pub mod events;
pub(crate) mod messages;
mod table;
