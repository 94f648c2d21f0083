//! What the program does, chosen by its command line.

mod evaluate;

use std::process::ExitCode;

use crate::cli::{Args, Command};

/// Does what the command line says: trains, or works on an artifact.
///
/// # Errors
///
/// Whatever keeps it from its work.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    console::start_log(args.verbose);
    match args.command {
        None => crate::run::run(args.train),
        Some(Command::Evaluate(args)) => evaluate::run(&args),
    }
}
