//! Applications and their revisions, under `/api/applications`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use formats::{
    api::{ApplicationState, Rollback},
    application::{ApplicationRevision, ApplicationSpec},
    name::ApplicationName,
};
use inference::InferenceError;

use crate::{
    App,
    http::{ApiError, body, names::Names},
};

/// What answers here, and what should and cannot, by name of the application.
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Vec<ApplicationState>> {
    Json(app.applications.states())
}

/// The revision that answers here.
pub(super) async fn current(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
) -> Result<Json<ApplicationRevision>, ApiError> {
    Ok(Json(app.application(&name)?.revision().clone()))
}

/// Deploys the body: 201 and a new revision, or 200 and the current one where that is the same.
pub(super) async fn deploy(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ApplicationRevision>), ApiError> {
    let spec: ApplicationSpec = body::read_json(&app, &headers, body).await?;
    if spec.name != name {
        return Err(ApiError::OtherName {
            expected: name,
            found: spec.name,
        });
    }
    let applications = app.applications.clone();
    finish(async move { applications.deploy(spec).await }).await
}

/// Deploys again what an earlier revision was: 201 and a new revision, or 200 and the current one where that is the same.
pub(super) async fn roll_back(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ApplicationRevision>), ApiError> {
    let Rollback { revision } = body::read_json(&app, &headers, body).await?;
    let applications = app.applications.clone();
    finish(async move { applications.roll_back(&name, revision).await }).await
}

/// Finishes a deploy in a task of its own, because a client that hangs up must not leave a revision stored but not yet
/// served.
pub(super) async fn finish(
    deploying: impl Future<Output = Result<(ApplicationRevision, bool), InferenceError>> + Send + 'static,
) -> Result<(StatusCode, Json<ApplicationRevision>), ApiError> {
    let (revision, is_new) = tokio::spawn(deploying).await.map_err(ApiError::Worker)??;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(revision)))
}

pub(super) async fn revisions(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
) -> Result<Json<Vec<ApplicationRevision>>, ApiError> {
    Ok(Json(app.applications.registry().revisions(&name).await?))
}
