//! The program `pipeline`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    console::finish(pipeline::run(pipeline::cli::Args::parse()), pipeline::hint)
}
