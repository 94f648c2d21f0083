//! Whether what a run did to the server is still there: a registry can be wiped, and somebody else can deploy.

use std::path::Path;

use formats::{
    api::PublishedVersion,
    application::ApplicationRevision,
    name::{ApplicationName, ModelName},
};

use serde::de::DeserializeOwned;

use crate::{
    client::{Client, ClientError},
    decide::Standing,
    files,
};

/// Whether the version in the document `published` is still in the registry.
pub(crate) fn of_version(client: &Client, published: &Path) -> anyhow::Result<Standing> {
    let published: PublishedVersion = match left(published) {
        Ok(published) => published,
        Err(standing) => return Ok(standing),
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
    let deployed: ApplicationRevision = match left(deployed) {
        Ok(deployed) => deployed,
        Err(standing) => return Ok(standing),
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

/// The document that a step left. One that this build cannot read was written by another, and the step runs again.
fn left<T: DeserializeOwned>(path: &Path) -> Result<T, Standing> {
    match files::read_json(path) {
        Ok(Some(document)) => Ok(document),
        Ok(None) => Err(Standing::Stands),
        Err(_) => Err(Standing::Gone(format!("`{}` cannot be read", path.display()))),
    }
}

fn judge<T>(answer: Result<T, ClientError>, judge: impl FnOnce(T) -> Standing) -> anyhow::Result<Standing> {
    match answer {
        Ok(found) => Ok(judge(found)),
        Err(error) if error.may_pass() => Ok(Standing::Unknown),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use test_support::Workspace;

    use super::*;

    /// It made `up` fail for good, although all that was lost is the knowledge of what was done.
    #[test]
    fn a_document_that_cannot_be_read_lets_the_step_run_again() {
        let workspace = Workspace::new();
        let client = Client::new("http://127.0.0.1:1".parse().unwrap(), Duration::from_secs(1));
        let path = workspace.write("published.json", b"{\"format\": 1}");
        let standing = of_version(&client, &path).unwrap();
        assert!(
            matches!(&standing, Standing::Gone(reason) if reason.contains("published.json")),
            "{standing:?}"
        );
        assert_eq!(
            of_application(&client, &workspace.join("nothing.json")).unwrap(),
            Standing::Stands
        );
    }
}
