//! What tests of several crates need: drawn digits as IDX files, throw-away workspaces, starting our
//! programs, waiting with a limit, and an HTTP file server that misbehaves on request.
//!
//! It uses no crate of ours, so that every crate may use it, and it never reaches the network. Because only tests
//! call it, a failure here is a panic that says what to do. Start reading at [`Workspace`].

mod digits;
mod file_server;
mod patience;
mod port;
mod program;
mod running;
mod workspace;

pub use digits::{Digits, Packing, write_idx_files};
pub use file_server::{Fault, FileServer, Request};
pub use patience::patience;
pub use port::free_port;
pub use program::program;
pub use running::Running;
pub use workspace::{Outcome, Workspace};
