//! Starts `mnist-data`; everything that it does is in the library.

use std::process::ExitCode;

use clap::Parser;
use mnist_data::{cli, program};

fn main() -> ExitCode {
    console::finish(program::run(&cli::Args::parse()), program::hint)
}
