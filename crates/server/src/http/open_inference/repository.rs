//! The repository extension: what there is, and what of it answers by its own name.

use std::sync::Arc;

use axum::{Json, body::Body, extract::State, http::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use formats::{
    name::{ApplicationName, ModelName},
    open_inference::documents::{IndexEntry, IndexRequest, LoadRequest, State as ModelState},
};
use inference::{InferenceError, RegistryError};

use crate::{
    App,
    http::{ApiError, body, names::Names},
};

pub(in crate::http) async fn index(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Vec<IndexEntry>>, ApiError> {
    let IndexRequest { ready } = read(&app, &headers, body).await?;
    Ok(Json(entries(&app, ready).await?))
}

pub(in crate::http) async fn load(
    State(app): State<Arc<App>>,
    Names(model): Names<ModelName>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Map<String, Value>>, ApiError> {
    let LoadRequest { parameters } = read(&app, &headers, body).await?;
    load_model(&app, &model, parameters.keys().map(String::as_str)).await?;
    Ok(Json(Map::new()))
}

pub(in crate::http) async fn unload(
    State(app): State<Arc<App>>,
    Names(model): Names<ModelName>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Map<String, Value>>, ApiError> {
    let LoadRequest { .. } = read(&app, &headers, body).await?;
    unload_model(&app, &model).await?;
    Ok(Json(Map::new()))
}

/// A document that may be left out.
async fn read<T: DeserializeOwned + Default>(app: &App, headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    body::expect_json_or_unsaid(headers)?;
    let bytes = body::read_decoded(app, headers, body).await?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&bytes).map_err(ApiError::Document)
}

/// Applications first, then the versions of each model; where `ready`, only what answers.
pub(in crate::http) async fn entries(app: &App, ready: bool) -> Result<Vec<IndexEntry>, ApiError> {
    let applications = app.applications.states().into_iter().map(|state| {
        let reason = state.broken.map(|broken| broken.reason);
        let is_there = state.answers.is_some();
        entry(
            state.name.to_string(),
            String::new(),
            is_there,
            reason.unwrap_or_default(),
        )
    });
    let models = app.applications.registry().models().await?;
    let versions = models.into_iter().flat_map(|model| {
        let is_there = !app.applications.is_unloaded(&model.name);
        let reason = if is_there { "" } else { "unloaded" };
        let of_number =
            move |number: u32| entry(model.name.to_string(), number.to_string(), is_there, reason.to_owned());
        (1..=model.versions).map(of_number)
    });
    let wanted = |entry: &IndexEntry| !ready || entry.state == ModelState::Ready;
    Ok(applications.chain(versions).filter(wanted).collect())
}

fn entry(name: String, version: String, is_there: bool, reason: String) -> IndexEntry {
    let state = match is_there {
        true => ModelState::Ready,
        false => ModelState::Unavailable,
    };
    IndexEntry {
        name,
        version,
        state,
        reason,
    }
}

/// Lets a model answer by its own name; an application does so anyway.
///
/// Errors: a parameter that would make it another model; a model that does not exist, or cannot be served.
pub(in crate::http) async fn load_model<'a>(
    app: &App,
    model: &ModelName,
    mut parameters: impl Iterator<Item = &'a str>,
) -> Result<(), ApiError> {
    let changes_the_model = |name: &&str| *name == "config" || name.starts_with("file:");
    if let Some(name) = parameters.find(changes_the_model) {
        return Err(ApiError::LoadParameter { name: name.to_owned() });
    }
    match app.applications.load_model(model).await {
        Err(InferenceError::Registry(RegistryError::UnknownModel(_))) if is_application(app, model) => Ok(()),
        loaded => Ok(loaded?),
    }
}

/// Lets a model answer no more by its own name.
///
/// Errors: a model that does not exist; an application.
pub(in crate::http) async fn unload_model(app: &App, model: &ModelName) -> Result<(), ApiError> {
    match app.applications.unload_model(model).await {
        Err(InferenceError::Registry(RegistryError::UnknownModel(_))) if is_application(app, model) => {
            Err(ApiError::StaysLoaded(application_name(model)))
        }
        unloaded => Ok(unloaded?),
    }
}

fn is_application(app: &App, model: &ModelName) -> bool {
    app.application(&application_name(model)).is_ok()
}

fn application_name(model: &ModelName) -> ApplicationName {
    let name = model.as_str().parse();
    name.expect("names of models and applications have the same rules")
}
