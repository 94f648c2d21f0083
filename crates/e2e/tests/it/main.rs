//! Tests across programs, and tests that guard the architecture.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by its attribute, not the functions that several tests share"
)]

mod bucket;
mod command_lines;
mod defects;
mod documents;
mod graph;
mod kill;
mod kubernetes;
mod project;
mod real;
mod size;
mod tour;
mod up;
mod workspace;
