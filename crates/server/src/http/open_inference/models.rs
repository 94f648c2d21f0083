//! What the server and its models say of themselves: `GET /v2`, `/v2/health/…` and `/v2/models/…`.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};

use formats::{
    name::{ApplicationName, ModelName},
    open_inference::documents::{Health, ModelMetadata, ModelReady, ServerMetadata},
};
use inference::InferenceError;

use crate::{
    App,
    http::{ApiError, models::model_version, names::Names},
    life::Stage,
};

/// What is understood beyond the protocol, by the names that Triton gives it.
const EXTENSIONS: [&str; 3] = ["binary_tensor_data", "model_repository", "statistics"];

pub(in crate::http) async fn server(State(app): State<Arc<App>>) -> Json<ServerMetadata> {
    Json(server_metadata(&app))
}

pub(in crate::http) async fn live(State(app): State<Arc<App>>) -> Json<Health> {
    Json(health(&app))
}

/// 503 where it is not ready.
pub(in crate::http) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let health = health(&app);
    let status = match health.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(health))
}

pub(in crate::http) async fn application(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
) -> Result<Json<ModelMetadata>, ApiError> {
    Ok(Json(application_metadata(&app, &name)?))
}

pub(in crate::http) async fn version(
    State(app): State<Arc<App>>,
    Names((model, number)): Names<(ModelName, String)>,
) -> Result<Json<ModelMetadata>, ApiError> {
    Ok(Json(version_metadata(&app, &model, &number).await?))
}

pub(in crate::http) async fn application_ready(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
) -> Result<Json<ModelReady>, ApiError> {
    app.application(&name)?;
    Ok(Json(ModelReady {
        name: name.to_string(),
        ready: true,
    }))
}

pub(in crate::http) async fn version_ready(
    State(app): State<Arc<App>>,
    Names((model, number)): Names<(ModelName, String)>,
) -> Result<Json<ModelReady>, ApiError> {
    expect_ready(&app, &model, &number).await?;
    Ok(Json(ModelReady {
        name: model.to_string(),
        ready: true,
    }))
}

pub(in crate::http) fn server_metadata(app: &App) -> ServerMetadata {
    ServerMetadata {
        name: app.identity.program.clone(),
        version: app.identity.version.clone(),
        extensions: EXTENSIONS.map(str::to_owned).to_vec(),
    }
}

pub(in crate::http) fn health(app: &App) -> Health {
    Health {
        live: true,
        ready: app.life.stage() <= Stage::Running && app.applications.is_restored(),
    }
}

pub(in crate::http) fn application_metadata(app: &App, name: &ApplicationName) -> Result<ModelMetadata, ApiError> {
    let route = app.application(name)?.only_route();
    Ok(ModelMetadata::new(name.to_string(), Vec::new(), route.signature()))
}

pub(in crate::http) async fn version_metadata(
    app: &App,
    model: &ModelName,
    number: &str,
) -> Result<ModelMetadata, ApiError> {
    let registry = app.applications.registry();
    let version = registry.version(&model_version(model, number)?).await?;
    let all = registry.versions(model).await?;
    let numbers = all.iter().map(|version| version.model.version.to_string()).collect();
    Ok(ModelMetadata::new(
        model.to_string(),
        numbers,
        &version.header.signature,
    ))
}

/// Errors: a version that does not exist, or whose model was unloaded.
pub(in crate::http) async fn expect_ready(app: &App, model: &ModelName, number: &str) -> Result<(), ApiError> {
    app.applications
        .registry()
        .version(&model_version(model, number)?)
        .await?;
    if app.applications.is_unloaded(model) {
        let model = model.clone();
        return Err(InferenceError::Unloaded { model }.into());
    }
    Ok(())
}
