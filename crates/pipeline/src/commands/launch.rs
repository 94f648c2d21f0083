//! How a program of a step starts: this process prepares itself and then becomes the program, so what it prepares
//! holds from the program's first instruction to its last.
//!
//! The same could be done between `fork` and `exec`, but only with `unsafe` code.

mod step;

use std::{
    convert::Infallible,
    fs::File,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use crate::{
    decide::Key,
    service::{ServiceDocument, ServiceFolder},
    state::{STATE_FORMAT, hold_as_task},
    time,
};

/// Become a program of a step.
#[derive(Debug, Args)]
pub struct LaunchArgs {
    #[command(subcommand)]
    kind: LaunchKind,
}

#[derive(Debug, Subcommand)]
enum LaunchKind {
    /// A program that ends when the process that started it does
    Task {
        /// The process that started it
        #[arg(long)]
        parent: u32,
        /// The folder that holds the state of deliveries
        #[arg(long)]
        state: PathBuf,
        /// The program and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// A program that survives whoever started it, and that can be found again
    Service {
        /// The folder that holds the state of deliveries
        #[arg(long)]
        state: PathBuf,
        /// With what the service is started, as JSON
        #[arg(long)]
        key: String,
        /// Where it will answer
        #[arg(long)]
        url: String,
        /// The program and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    Step(step::StepArgs),
}

/// Carries out `pipeline launch`; where this process becomes another one, it comes back only with an error.
pub(crate) fn launch(arguments: LaunchArgs) -> anyhow::Result<ExitCode> {
    match arguments.kind {
        LaunchKind::Step(arguments) => step::step(&arguments),
        LaunchKind::Task { parent, state, command } => {
            // First the lock, then the look at the parent: a delivery that follows sees the one or this the other.
            let lock = hold_as_task(&state)?;
            end_with(parent)?;
            keep_open(&lock)?;
            match become_program(&command)? {}
        }
        LaunchKind::Service {
            state,
            key,
            url,
            command,
        } => {
            // A session of its own: closing the terminal does not reach it.
            rustix::process::setsid().context("cannot start a session")?;
            let folder = ServiceFolder::new(&state);
            let lock = folder.hold()?;
            let key: Key = serde_json::from_str(&key).context("cannot understand `--key`")?;
            folder.write(&ServiceDocument {
                format: STATE_FORMAT,
                pid: std::process::id(),
                key,
                url,
                started_at_ms: time::now_ms(),
            })?;
            keep_open(&lock)?;
            match become_program(&command)? {}
        }
    }
}

/// Files are closed when a process becomes another program, unless they are told not to be.
fn keep_open(lock: &File) -> anyhow::Result<()> {
    rustix::io::fcntl_setfd(lock, rustix::io::FdFlags::empty()).context("cannot keep the lock")
}

/// A killed `pipeline up` must not leave a trainer behind that works for nobody.
fn end_with(parent: u32) -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
        .context("cannot bind this process to its parent")?;
    // It may have died before the line above.
    let is_there = rustix::process::getppid().is_some_and(|id| id.as_raw_nonzero().get().cast_unsigned() == parent);
    if is_there {
        Ok(())
    } else {
        bail!("process {parent}, which started this step, is gone")
    }
}

fn become_program(command: &[String]) -> anyhow::Result<Infallible> {
    let (program, arguments) = command.split_first().context("no program is given")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot start `{program}`"))
}
