//! The program as a person runs it where there is nothing to deliver yet, and how it launches other programs.
//!
//! Whole deliveries are tests of `e2e`, which has the other programs as well.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by its attribute, not the functions that several tests share"
)]

mod command;
mod image;
mod launch;
mod render;

use std::{path::Path, process::Command, time::Duration};

use test_support::{Outcome, Running, Workspace};

/// Longest time that one `pipeline` may take here.
const RUN_MAX: Duration = Duration::from_secs(60);

/// A command that runs `pipeline` in the workspace.
fn pipeline(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = workspace.command(Path::new(env!("CARGO_BIN_EXE_pipeline")));
    command.args(arguments);
    command
}

/// Runs `pipeline` in the workspace to its end.
fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    Running::start(&mut pipeline(workspace, arguments)).wait(RUN_MAX)
}
