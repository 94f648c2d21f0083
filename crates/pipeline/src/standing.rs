//! Whether what a run did to the server is still there: a registry can be wiped, and somebody else can deploy.

use std::path::Path;

use formats::{
    api::PublishedVersion,
    application::ApplicationRevision,
    name::{ApplicationName, ModelName},
};

use crate::{
    client::{Client, ClientError},
    decide::Standing,
    files,
};

/// Whether the version in the document `published` is still in the registry.
pub(crate) fn of_version(client: &Client, published: &Path) -> anyhow::Result<Standing> {
    let Some(published) = files::read_json::<PublishedVersion>(published)? else {
        return Ok(Standing::Stands);
    };
    let model = &published.model;
    let answer = client.find::<PublishedVersion>(&version_path(&model.name, model.version.get()));
    judge(answer, |found| match found {
        Some(found) if found.digest == published.digest => Standing::Stands,
        Some(_) => Standing::Gone(format!("{model} in the registry is another artifact")),
        None => Standing::Gone(format!("{model} is not in the registry any more")),
    })
}

/// Whether the revision in the document `deployed` is still what the application answers with.
pub(crate) fn of_application(client: &Client, deployed: &Path) -> anyhow::Result<Standing> {
    let Some(deployed) = files::read_json::<ApplicationRevision>(deployed)? else {
        return Ok(Standing::Stands);
    };
    let name = &deployed.application.name;
    let answer = client.find::<ApplicationRevision>(&application_path(name));
    judge(answer, |found| match found {
        Some(found) if found.application == deployed.application => Standing::Stands,
        Some(found) => Standing::Gone(format!("somebody deployed revision {} of {name}", found.revision)),
        None => Standing::Gone(format!("{name} is not deployed any more")),
    })
}

/// The address of a version in the management API.
pub(crate) fn version_path(model: &ModelName, version: u32) -> String {
    format!("/api/models/{model}/versions/{version}")
}

/// The address of an application in the management API.
pub(crate) fn application_path(application: &ApplicationName) -> String {
    format!("/api/applications/{application}")
}

fn judge<T>(answer: Result<T, ClientError>, judge: impl FnOnce(T) -> Standing) -> anyhow::Result<Standing> {
    match answer {
        Ok(found) => Ok(judge(found)),
        Err(error) if error.may_pass() => Ok(Standing::Unknown),
        Err(error) => Err(error.into()),
    }
}
