//! Uploads: an archive becomes an artifact, and that the next version of a model, before the upload is answered.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use formats::{
    journal::{JournalEvent, Upload},
    version::ModelVersion,
};
use inference::Applications;
use model::import::{Imported, import};

use super::{
    HsError, archive,
    models::{self, Model, Progress, Version},
    parts::Parts,
};
use crate::{
    App,
    http::{ApiError, body, names::Names},
};

/// A build as the original shows it. What it would have been built by, there is not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Build {
    id: u64,
    model: Model,
    version: u32,
    started: String,
    finished: String,
    status: Progress,
    model_version: Version,
}

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Build>), ApiError> {
    let max_bytes = app.limits.artifact_max_bytes;
    let body = body::read(&app, body, max_bytes).await?;
    let parts = Parts::parse(&headers, body).await?;
    let working = app.heavy.run(move || {
        let imported = take_in(&parts, max_bytes)?;
        Ok::<_, ApiError>((parts, imported))
    });
    let (parts, imported) = working.await.map_err(ApiError::Worker)??;
    // A client that hangs up must not leave a version without what was told about it.
    let publishing = tokio::spawn(publish(app.applications.clone(), parts, imported));
    let version = publishing.await.map_err(ApiError::Worker)??;
    Ok((StatusCode::CREATED, Json(Build::of(&app, &version).await?)))
}

/// What a client names that asks for a build without an upload.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    model_id: u64,
}

/// A model was built when it was uploaded: answers with the build of its newest version.
pub(super) async fn build_again(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Build>, ApiError> {
    let Wanted { model_id } = body::read_json(&app, &headers, body).await?;
    let version = models::newest(app.applications.registry(), model_id).await?;
    Ok(Json(Build::of(&app, &version).await?))
}

/// A build has the id of its version.
pub(super) async fn build(State(app): State<Arc<App>>, Names(id): Names<u64>) -> Result<Json<Build>, ApiError> {
    let version = models::find(app.applications.registry(), id).await?;
    Ok(Json(Build::of(&app, &version).await?))
}

/// What the payload is, called as the contract says where there is one.
fn take_in(parts: &Parts, max_bytes: usize) -> Result<Imported, ApiError> {
    let files = archive::unpack(&parts.payload, max_bytes).map_err(HsError::Archive)?;
    Ok(import(&files, parts.contract.as_deref())?)
}

async fn publish(applications: Arc<Applications>, parts: Parts, imported: Imported) -> Result<ModelVersion, ApiError> {
    let bytes = imported.artifact.encode().map_err(model::import::ImportError::from)?;
    let published = applications.publish(&parts.model_name, bytes.into(), None).await?;
    let model = published.version.model.clone();
    let upload = Upload {
        model: model.clone(),
        model_type: parts.model_type.unwrap_or(imported.model_type),
        description: parts.description,
        contract: parts.contract.map(|contract| BASE64_STANDARD.encode(contract)),
    };
    applications.registry().record(JournalEvent::Uploaded(upload)).await?;
    Ok(model)
}

impl Build {
    async fn of(app: &App, version: &ModelVersion) -> Result<Self, ApiError> {
        let version = models::show(app, version).await?;
        Ok(Self {
            id: version.id,
            model: version.model.clone(),
            version: version.model_version,
            started: version.created.clone(),
            finished: version.created.clone(),
            status: Progress::Finished,
            model_version: version,
        })
    }
}
