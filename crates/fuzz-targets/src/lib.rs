//! What must hold for any bytes that our readers are given, one function for each reader.
//!
//! The fuzzers in `fuzz/` call these functions for hours with bytes that seek new paths through the code; the tests of
//! this crate call them for a second with changed seeds. It reads no files and knows no fuzzer. A property that does not
//! hold is a panic. Start reading at [`TARGETS`].

mod archive;
mod artifact;
mod body;
mod checkpoint;
mod contract;
mod graph;
mod idx;
mod manifest;
mod number;
mod outcome;
mod seal;

pub use archive::archive;
pub use artifact::artifact;
pub use body::body;
pub use checkpoint::checkpoint;
pub use contract::contract;
pub use graph::graph;
pub use idx::idx;
pub use manifest::manifest;
pub use number::number;
pub use outcome::Outcome;

/// A reader, and what must hold for it.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name of its fuzzer, and of the folder with its seeds.
    pub name: &'static str,
    /// Panics where the property does not hold for these bytes.
    pub check: fn(&[u8]) -> Outcome,
}

/// Every reader of bytes that nobody vouches for.
pub const TARGETS: [Target; 9] = [
    Target {
        name: "number",
        check: number,
    },
    Target {
        name: "body",
        check: body,
    },
    Target {
        name: "artifact",
        check: artifact,
    },
    Target {
        name: "checkpoint",
        check: checkpoint,
    },
    Target {
        name: "idx",
        check: idx,
    },
    Target {
        name: "archive",
        check: archive,
    },
    Target {
        name: "manifest",
        check: manifest,
    },
    Target {
        name: "graph",
        check: graph,
    },
    Target {
        name: "contract",
        check: contract,
    },
];
