//! Models and their versions, under `/api/models`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use formats::{
    api::{IDEMPOTENCY_KEY, ModelSummary, PublishedVersion},
    name::ModelName,
    version::ModelVersion,
};

use crate::{
    App,
    http::{ApiError, body, names::Names, pieces::pieces},
};

/// Longest idempotency key, in bytes: room for any id, and none for a body.
const KEY_MAX_BYTES: usize = 200;

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<ModelSummary>>, ApiError> {
    Ok(Json(app.applications.registry().models().await?))
}

pub(super) async fn versions(
    State(app): State<Arc<App>>,
    Names(model): Names<ModelName>,
) -> Result<Json<Vec<PublishedVersion>>, ApiError> {
    let versions = app.applications.registry().versions(&model).await?;
    Ok(Json(versions.into_iter().map(Arc::unwrap_or_clone).collect()))
}

/// Publishes the body as the next version: 201, or 200 where the same key had published it already.
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Names(model): Names<ModelName>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let key = idempotency_key(&headers)?;
    let artifact = body::read(&app, body, app.limits.artifact_max_bytes).await?;
    let published = app.applications.publish(&model, artifact, key).await?;
    let status = if published.already {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let version = Arc::unwrap_or_clone(published.version);
    let location = format!("/api/models/{model}/versions/{}", version.model.version);
    Ok((status, [(header::LOCATION, location)], Json(version)).into_response())
}

pub(super) async fn version(
    State(app): State<Arc<App>>,
    Names((name, number)): Names<(ModelName, String)>,
) -> Result<Json<PublishedVersion>, ApiError> {
    let version = app
        .applications
        .registry()
        .version(&model_version(&name, &number)?)
        .await?;
    Ok(Json(Arc::unwrap_or_clone(version)))
}

pub(super) async fn artifact(
    State(app): State<Arc<App>>,
    Names((name, number)): Names<(ModelName, String)>,
) -> Result<Response, ApiError> {
    let bytes = app
        .applications
        .registry()
        .artifact(&model_version(&name, &number)?)
        .await?;
    let content_type = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((content_type, pieces(bytes)).into_response())
}

/// There is one reader for version numbers, with one message for what is none.
pub(super) fn model_version(name: &ModelName, number: &str) -> Result<ModelVersion, ApiError> {
    Ok(format!("{name}:{number}").parse()?)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .filter(|key| (1..=KEY_MAX_BYTES).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
    key.map(Some).ok_or(ApiError::IdempotencyKey {
        max_bytes: KEY_MAX_BYTES,
    })
}
