//! `pipeline image`: the image with our programs, from the Dockerfile to where a cluster finds it.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Subcommand};
use console::exit;

use crate::{
    cli::cluster::ContextArgs,
    image::{Builder, ImageError, Loader, Recipe, Revision, Stopped, Tool, Variant},
    interrupt::Interrupt,
};

/// Where it is not for a registry; no registry of the world can have an image of this name.
const NAME: &str = "localhost/slipway";

/// Build the image with our programs, and print the name that `up --image` takes
#[derive(Debug, Args)]
pub struct ImageArgs {
    #[command(subcommand)]
    command: ImageCommand,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    /// Build it, under a tag that its content decides
    Build {
        /// Its name, without a tag
        #[arg(long, default_value = NAME, value_name = "NAME", value_parser = name)]
        name: String,

        /// Leave it in a file, too, as `docker save` does
        #[arg(long, value_name = "FILE")]
        archive: Option<PathBuf>,

        #[command(flatten)]
        build: BuildArgs,
    },
    /// Build it and push it to a registry
    Push {
        /// Its name, with that of the registry and without a tag
        #[arg(value_name = "NAME", value_parser = name)]
        name: String,

        #[command(flatten)]
        build: BuildArgs,
    },
    /// Build it and load it into the nodes of a cluster: those of kind, k3d or minikube, or by a command
    Load {
        /// Its name, without a tag
        #[arg(long, default_value = NAME, value_name = "NAME", value_parser = name)]
        name: String,

        /// The command that loads an image by its name, which is put behind it
        #[arg(long, env = "CLUSTER_LOAD", value_name = "COMMAND")]
        with: Option<String>,

        #[command(flatten)]
        context: ContextArgs,

        #[command(flatten)]
        build: BuildArgs,
    },
}

/// How it is built.
#[derive(Debug, Args)]
struct BuildArgs {
    /// The program that builds it, in place of the first one that is there
    #[arg(long, value_enum)]
    tool: Option<Tool>,

    /// Which of the images
    #[arg(long, value_enum, default_value_t = Variant::Cpu)]
    variant: Variant,

    /// The folder with the Dockerfile
    #[arg(long, default_value = ".", value_name = "DIR")]
    folder: PathBuf,

    /// Use nothing of an earlier build
    #[arg(long)]
    no_cache: bool,
}

/// Carries out `pipeline image`.
pub(crate) fn image(arguments: &ImageArgs) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    match carry_out(&arguments.command, &interrupt) {
        Ok(reference) => {
            console::print(&reference);
            Ok(ExitCode::from(exit::DONE))
        }
        Err(error) if error.is::<Stopped>() => {
            console::say(&error.to_string());
            Ok(ExitCode::from(exit::INTERRUPTED))
        }
        Err(error) => Err(error),
    }
}

/// What `up --image` takes.
fn carry_out(command: &ImageCommand, interrupt: &Interrupt) -> anyhow::Result<String> {
    let (ImageCommand::Build { build, .. } | ImageCommand::Push { build, .. } | ImageCommand::Load { build, .. }) =
        command;
    // Who loads is asked first: a build takes minutes.
    let loader = match command {
        ImageCommand::Load { with, context, .. } => Some(Loader::find(with.as_deref(), context)?),
        _ => None,
    };
    let builder = Builder::find(build.tool, interrupt)?;
    let revision = Revision::of(&build.folder);
    let recipe = Recipe {
        folder: &build.folder,
        revision: &revision,
        variant: build.variant,
        is_fresh: build.no_cache,
    };
    match command {
        ImageCommand::Build { name, archive, .. } => {
            if !builder.keeps() && archive.is_none() {
                return Err(ImageError::NotKept.into());
            }
            let built = builder.build(&recipe, name)?;
            if let Some(file) = archive {
                built.leave(file)?;
            }
            Ok(built.reference)
        }
        ImageCommand::Push { name, .. } => builder.push(&recipe, &builder.build(&recipe, name)?),
        ImageCommand::Load { name, .. } => {
            let loader = loader.context("nobody loads the image")?;
            if !builder.keeps() && matches!(loader, Loader::Command(_)) {
                return Err(ImageError::NotKept.into());
            }
            let built = builder.build(&recipe, name)?;
            builder.load(&loader, &built)?;
            Ok(built.reference)
        }
    }
}

/// The name of an image, without what tells one image from another.
fn name(text: &str) -> Result<String, String> {
    let last = text.rsplit('/').next().unwrap_or(text);
    let is_name = !last.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./:".contains(c));
    match is_name && !last.contains(':') {
        true => Ok(text.to_owned()),
        false => Err(
            "expected a name such as `registry.example/slipway`, without a tag: its content decides that".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_tag() {
        for right in ["slipway", "localhost:5000/slipway", "registry.example/team/slipway"] {
            assert_eq!(name(right).as_deref(), Ok(right));
        }
        for wrong in ["", "slipway:1", "slipway@sha256:00", "registry.example/", "Slipway"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
