//! Models and their versions as the original lists them.

use std::{collections::BTreeMap, convert::Infallible, num::NonZeroU32, sync::Arc};

use axum::{Json, extract::State};
use serde::Serialize;

use formats::{
    api::PublishedVersion,
    digest::Digest,
    name::{ApplicationName, ModelName},
    version::ModelVersion,
};
use inference::{Registry, RegistryError};

use super::{
    HsError, contract,
    ids::{Kind, id},
    journal::Journal,
    times,
};
use crate::{App, http::ApiError};

/// How far a build or a start is. Here it has always ended: what does not end well is refused at once.
#[derive(Serialize)]
pub(super) enum Progress {
    Finished,
}

/// A model with what its newest version says.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Model {
    id: u64,
    name: ModelName,
    model_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    model_contract: String,
    created: String,
    updated: String,
}

/// A version of a model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    pub(super) id: u64,
    image_name: ModelName,
    image_tag: String,
    #[serde(rename = "imageSHA256")]
    image_sha256: Digest,
    pub(super) created: String,
    model_name: ModelName,
    pub(super) model_version: u32,
    model_type: String,
    pub(super) model: Model,
    model_contract: String,
    applications: Vec<Named>,
}

/// An application that uses a version.
#[derive(Clone, Serialize)]
struct Named {
    id: u64,
    name: ApplicationName,
}

/// Which applications use which version.
type Users = BTreeMap<ModelVersion, Vec<Named>>;

pub(super) async fn versions(State(app): State<Arc<App>>) -> Result<Json<Vec<Version>>, ApiError> {
    let registry = app.applications.registry();
    let journal = Journal::read(registry).await?;
    let users = users(&app);
    let mut versions = Vec::new();
    for model in registry.models().await? {
        let published = registry.versions(&model.name).await?;
        let created = published.first().map_or(0, |first| first.published_at_ms);
        versions.extend(
            published
                .iter()
                .map(|version| Version::new(version, created, &journal, &users)),
        );
    }
    Ok(Json(versions))
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Model>>, ApiError> {
    let registry = app.applications.registry();
    let journal = Journal::read(registry).await?;
    let mut models = Vec::new();
    for model in registry.models().await? {
        let published = registry.versions(&model.name).await?;
        if let [first, ..] = &*published
            && let Some(newest) = published.last()
        {
            models.push(Version::new(newest, first.published_at_ms, &journal, &Users::new()).model);
        }
    }
    Ok(Json(models))
}

/// Where the original looks for models besides uploads. Here there is nothing else.
pub(super) async fn sources() -> Json<[Infallible; 0]> {
    Json([])
}

/// The newest version of the model with this id.
pub(super) async fn newest(registry: &Registry, wanted: u64) -> Result<ModelVersion, ApiError> {
    let models = registry.models().await?.into_iter();
    let mut newest = models
        .filter(|model| id(Kind::Model, model.name.as_str()) == wanted)
        .filter_map(|model| {
            let version = model.versions.try_into().ok()?;
            Some(ModelVersion {
                name: model.name,
                version,
            })
        });
    let kind = Kind::Model;
    newest
        .next()
        .ok_or_else(|| HsError::UnknownId { kind, id: wanted }.into())
}

/// The version with this id.
pub(super) async fn find(registry: &Registry, wanted: u64) -> Result<ModelVersion, ApiError> {
    for summary in registry.models().await? {
        let versions = (1..=summary.versions).filter_map(|number| {
            let name = summary.name.clone();
            let version = number.try_into().ok()?;
            Some(ModelVersion { name, version })
        });
        let mut found = versions.filter(|version| version_id(version) == wanted);
        if let Some(version) = found.next() {
            return Ok(version);
        }
    }
    Err(HsError::UnknownId {
        kind: Kind::Version,
        id: wanted,
    }
    .into())
}

/// One version as the original shows it.
pub(super) async fn show(app: &App, version: &ModelVersion) -> Result<Version, RegistryError> {
    let registry = app.applications.registry();
    let published = registry.version(version).await?;
    let first = ModelVersion {
        version: NonZeroU32::MIN,
        ..version.clone()
    };
    // The first version is when the model came to be, and may be damaged without harm to this one.
    let first = registry.version(&first).await;
    let created = first.map_or(published.published_at_ms, |first| first.published_at_ms);
    let journal = Journal::read(registry).await?;
    Ok(Version::new(&published, created, &journal, &users(app)))
}

pub(super) fn version_id(version: &ModelVersion) -> u64 {
    id(Kind::Version, &version.to_string())
}

fn users(app: &App) -> Users {
    let mut users = Users::new();
    for application in app.applications.deployed() {
        let name = application.name();
        for version in application.versions() {
            users.entry(version).or_default().push(Named {
                id: id(Kind::Application, name.as_str()),
                name: name.clone(),
            });
        }
    }
    users
}

impl Version {
    fn new(published: &PublishedVersion, model_created_ms: u64, journal: &Journal, users: &Users) -> Self {
        let ModelVersion { name, version } = &published.model;
        let upload = journal.uploads.get(&published.model);
        let model_type = upload.map_or_else(|| "slipway".to_owned(), |upload| upload.model_type.clone());
        let model_contract = contract::text(published, upload);
        let created = times::text(published.published_at_ms);
        Self {
            id: version_id(&published.model),
            image_name: name.clone(),
            image_tag: version.to_string(),
            image_sha256: published.digest,
            created: created.clone(),
            model_name: name.clone(),
            model_version: version.get(),
            model_type: model_type.clone(),
            model: Model {
                id: id(Kind::Model, name.as_str()),
                name: name.clone(),
                model_type,
                description: upload.and_then(|upload| upload.description.clone()),
                model_contract: model_contract.clone(),
                created: times::text(model_created_ms),
                updated: created,
            },
            model_contract,
            applications: users.get(&published.model).cloned().unwrap_or_default(),
        }
    }
}
