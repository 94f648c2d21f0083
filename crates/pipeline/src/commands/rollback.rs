//! `pipeline rollback`: an application answers as it did before.

use std::{num::NonZeroU32, process::ExitCode};

use anyhow::Context;
use clap::Args;
use formats::{api::Rollback, application::ApplicationRevision, name::ApplicationName};

use crate::{cli::server::ServerArgs, commands::deploy, standing};

/// Let an application answer as it did before its last revision, or in a given one
#[derive(Debug, Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    pub server: ServerArgs,

    /// The application
    #[arg(long, env = "APPLICATION_NAME", default_value = "mnist-app", value_name = "NAME")]
    pub application: ApplicationName,

    /// The revision to go back to; without it the one before the last
    #[arg(long, value_name = "N")]
    pub revision: Option<NonZeroU32>,
}

/// Carries out `pipeline rollback`.
pub(crate) fn rollback(arguments: &RollbackArgs) -> anyhow::Result<ExitCode> {
    let wish = Rollback {
        revision: arguments.revision,
    };
    let body = serde_json::to_vec(&wish).context("cannot write the request")?;
    let path = format!("{}/rollback", standing::application_path(&arguments.application));
    let revision: ApplicationRevision = arguments
        .server
        .client()?
        .post(&path, &body, |request| request.content_type("application/json"))
        .map_err(|error| error.keeps_from("cannot roll the application back"))?;
    console::print(&deploy::answers(&revision));
    Ok(ExitCode::SUCCESS)
}
