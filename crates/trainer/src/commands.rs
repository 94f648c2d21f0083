//! What the program does, chosen by its command line.

mod evaluate;
mod export;

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context;
use formats::digest::Digest;
use model::Artifact;

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
        Some(Command::Export(args)) => export::run(&args),
    }
}

/// The artifact in a file, and the digest of the file.
fn read_artifact(path: &Path) -> anyhow::Result<(Artifact, Digest)> {
    let place = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read the artifact `{place}`"))?;
    let artifact = Artifact::read(&bytes).with_context(|| format!("`{place}` is no artifact"))?;
    Ok((artifact, Digest::of(&bytes)))
}
