//! What tests of several crates need: drawn digits as IDX files, throw-away workspaces, starting our
//! programs, waiting with a limit, an HTTP file server and a bucket that misbehave on request, a registry for images, and Python
//! environments with the programs of other people that ours must get along with.
//!
//! It uses no crate of ours, so that every crate may use it. Only [`Python`] reaches the network, for packages, and
//! only tests that are asked for ([`OnDemand`]) use it. Because only tests call this crate, a failure here is a panic
//! that says what to do. Start reading at [`Workspace`].

mod acceptor;
mod bucket_server;
mod digits;
mod file_server;
mod image_registry;
mod on_demand;
mod patience;
mod port;
mod program;
mod python;
mod running;
mod workspace;

pub use bucket_server::{BucketFault, BucketServer};
pub use digits::{Digits, Packing, strokes, write_idx_files};
pub use file_server::{Fault, FileServer, Request};
pub use image_registry::ImageRegistry;
pub use on_demand::OnDemand;
pub use patience::patience;
pub use port::free_port;
pub use program::program;
pub use python::Python;
pub use running::Running;
pub use workspace::{Outcome, Workspace};
