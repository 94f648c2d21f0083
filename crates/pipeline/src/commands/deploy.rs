//! `pipeline deploy`: an application answers with fixed versions from now on.

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use formats::{
    api::{ModelSummary, PublishedVersion},
    application::{ApplicationRevision, ApplicationSpec},
    manifest::Manifest,
    name::ModelName,
    version::{ModelSelector, ModelVersion},
};

use crate::{cli::server::ServerArgs, client::Client, files, standing};

/// Let an application answer with the versions that its manifest asks for
#[derive(Debug, Args)]
pub struct DeployArgs {
    #[command(flatten)]
    pub server: ServerArgs,

    /// The manifest of the application
    #[arg(long, default_value = "application.yaml", value_name = "FILE")]
    pub manifest: PathBuf,

    /// What `pipeline upload` left: its version is meant where the manifest names none. Without it the newest is
    #[arg(long, value_name = "FILE")]
    pub published: Option<PathBuf>,

    /// Leave the deployed revision here, as JSON
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,
}

/// Carries out `pipeline deploy`.
pub(crate) fn deploy(arguments: DeployArgs) -> anyhow::Result<ExitCode> {
    let path = arguments.manifest.display().to_string();
    let text = fs::read_to_string(&arguments.manifest).with_context(|| format!("cannot read `{path}`"))?;
    let manifest = Manifest::parse(&path, &text)?;
    for notice in &manifest.notices {
        console::say(&format!("{path}:{notice}"));
    }
    let client = arguments.server.client()?;
    let application = pin(&client, &manifest, arguments.published.as_deref())?;
    let body = serde_json::to_vec(&application).context("cannot write the application")?;
    let revision: ApplicationRevision = client
        .put_json(&standing::application_path(&application.name), &body)
        .map_err(|error| error.keeps_from("cannot deploy the application"))?;
    if revision.application != application {
        bail!("the server has deployed something else than it was sent");
    }
    if let Some(result) = arguments.result {
        files::write_json(&result, &revision)?;
    }
    console::print(&answers(&revision));
    Ok(ExitCode::SUCCESS)
}

/// What answers now, in a line.
pub(crate) fn answers(deployed: &ApplicationRevision) -> String {
    let ApplicationRevision {
        application, revision, ..
    } = deployed;
    let versions: Vec<String> = application.versions().map(ToString::to_string).collect();
    format!(
        "{} answers with {} (revision {revision})",
        application.name,
        versions.join(", ")
    )
}

/// Fixes every version of a manifest.
fn pin(client: &Client, manifest: &Manifest, published: Option<&Path>) -> anyhow::Result<ApplicationSpec> {
    let mut versions = BTreeMap::new();
    if let Some(path) = published {
        let published: PublishedVersion = files::read_json(path)?
            .with_context(|| format!("`{}`, which `pipeline upload` leaves, is missing", path.display()))?;
        versions.insert(published.model.name.clone(), published.model);
    } else {
        for selector in manifest.models() {
            if let ModelSelector::Newest(name) = selector {
                versions.extend(newest(client, name)?.map(|version| (name.clone(), version)));
            }
        }
    }
    Ok(manifest.pin(|name| versions.get(name).cloned())?)
}

fn newest(client: &Client, name: &ModelName) -> anyhow::Result<Option<ModelVersion>> {
    let models: Vec<ModelSummary> = client
        .get("/api/models")
        .map_err(|error| error.keeps_from("cannot look for the newest version"))?;
    let summary = models.into_iter().find(|summary| summary.name == *name);
    Ok(summary.and_then(|summary| {
        Some(ModelVersion {
            version: NonZeroU32::new(summary.versions)?,
            name: summary.name,
        })
    }))
}
