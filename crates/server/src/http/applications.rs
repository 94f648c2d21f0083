//! Applications and their revisions, under `/api/applications`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use formats::{
    application::{ApplicationRevision, ApplicationSpec},
    name::ApplicationName,
};

use crate::{
    App,
    http::{ApiError, body, names::Names},
};

/// The revisions that answer here, by name of the application.
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<Vec<ApplicationRevision>> {
    let deployed = app.applications.deployed();
    Json(
        deployed
            .iter()
            .map(|application| application.revision().clone())
            .collect(),
    )
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
    // In a task of its own, because a client that hangs up must not leave a revision stored but not yet served.
    let applications = app.applications.clone();
    let deploying = tokio::spawn(async move { applications.deploy(spec).await });
    let (revision, is_new) = deploying.await.map_err(ApiError::Worker)??;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(revision)))
}

pub(super) async fn revisions(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
) -> Result<Json<Vec<ApplicationRevision>>, ApiError> {
    Ok(Json(app.applications.registry().revisions(&name).await?))
}
