//! `pipeline upload`: an artifact becomes the next version of a model.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::Args;
use formats::{
    api::{IDEMPOTENCY_KEY, PublishedVersion},
    digest::Digest,
    name::ModelName,
};

use crate::{cli::server::ServerArgs, files};

/// Publish an artifact as the next version of a model
#[derive(Debug, Args)]
pub struct UploadArgs {
    #[command(flatten)]
    pub server: ServerArgs,

    /// The model of which it becomes a version
    #[arg(long, default_value = "mnist", value_name = "NAME")]
    pub model: ModelName,

    /// The file that the trainer left
    #[arg(long, default_value = "models/mnist/mnist.safetensors", value_name = "FILE")]
    pub artifact: PathBuf,

    /// The run that uploads: repeated by the same run, an upload gives the same version and not another one
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,

    /// Leave the published version here, as JSON
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,
}

/// Carries out `pipeline upload`.
pub(crate) fn upload(arguments: UploadArgs) -> anyhow::Result<ExitCode> {
    let UploadArgs {
        server,
        model,
        artifact,
        run,
        result,
    } = arguments;
    let bytes = fs::read(&artifact).with_context(|| format!("cannot read `{}`", artifact.display()))?;
    let digest = Digest::of(&bytes);
    // With the digest in it: a run that is continued with other settings has another artifact to publish.
    let key = run.map(|run| format!("{run}-{}", digest.short()));
    let published: PublishedVersion = server
        .client()?
        .post(&format!("/api/models/{model}/versions"), &bytes, |request| {
            let request = request.content_type("application/octet-stream");
            match &key {
                Some(key) => request.header(IDEMPOTENCY_KEY, key),
                None => request,
            }
        })
        .map_err(|error| error.keeps_from("cannot publish the artifact"))?;
    if published.digest != digest {
        bail!("the server has published {}, but {digest} was sent", published.digest);
    }
    if let Some(result) = result {
        files::write_json(&result, &published)?;
    }
    console::print(&format!(
        "published {} ({} bytes)",
        published.model, published.size_bytes
    ));
    Ok(ExitCode::SUCCESS)
}
