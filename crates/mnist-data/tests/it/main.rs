//! Downloads from a server that misbehaves, and the program as a person runs it. Nothing here leaves this machine.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, also in what several tests share"
)]

mod content;
mod download;
mod npm;
mod program;
mod scene;
