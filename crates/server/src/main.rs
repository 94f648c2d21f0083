//! Serves the applications of a registry over HTTP.

use std::{io, process::ExitCode};

use clap::{CommandFactory, Parser, error::ErrorKind};

use server::{ListenError, cli::Args};

fn main() -> ExitCode {
    kernels::give_back_large_blocks();
    let args = Args::parse();
    console::start_log_as(args.signals.log_format, args.verbose);
    match args.settings() {
        Ok(settings) => console::finish(server::start(settings), hint),
        Err(error) => Args::command().error(ErrorKind::ValueValidation, error).exit(),
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    let ListenError { address, source } = error.downcast_ref()?;
    match source.kind() {
        io::ErrorKind::AddrInUse => Some(format!(
            "another program listens on {address}: stop it, or choose another address with --listen"
        )),
        io::ErrorKind::PermissionDenied => {
            Some("ports below 1024 belong to root: choose another one with --listen".to_owned())
        }
        io::ErrorKind::AddrNotAvailable => {
            Some("no interface of this machine has this address: choose another one with --listen".to_owned())
        }
        _ => None,
    }
}
