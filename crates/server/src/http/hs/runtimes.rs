//! Runtimes: what the original starts to serve models. Here each model is served by this program, and a runtime is a name.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use formats::journal::{JournalEvent, Runtime};
use inference::{Registry, RegistryError};

use super::{HsError, ids::Kind, journal::Journal, models::Progress, seeds};
use crate::{
    App,
    http::{ApiError, body, names::Names},
};

/// A runtime as the original shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    id: u64,
    name: String,
    version: String,
    suitable_model_type: Vec<String>,
    tags: Vec<String>,
    config_params: Map<String, Value>,
}

/// A runtime as a client describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: String,
    version: String,
    #[serde(default)]
    model_types: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    config_params: Map<String, Value>,
}

/// How far the start of a runtime is.
#[derive(Serialize)]
pub(super) struct Creation {
    id: u64,
    status: Progress,
    runtime: Listed,
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Listed>>, ApiError> {
    let runtimes = all(app.applications.registry()).await?;
    Ok(Json(runtimes.into_iter().map(Listed::new).collect()))
}

/// Lists a runtime: 201, or 200 where it is listed already.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Listed>), ApiError> {
    let described: Described = body::read_json(&app, &headers, body).await?;
    let registry = app.applications.registry();
    let is_it = |runtime: &Runtime| runtime.name == described.name && runtime.version == described.version;
    if let Some(listed) = all(registry).await?.into_iter().find(is_it) {
        return Ok((StatusCode::OK, Json(Listed::new(listed))));
    }
    let runtime = Runtime {
        name: described.name,
        version: described.version,
        model_types: described.model_types,
        tags: described.tags,
        config_params: described.config_params,
    };
    registry.record(JournalEvent::RuntimeListed(runtime.clone())).await?;
    Ok((StatusCode::CREATED, Json(Listed::new(runtime))))
}

/// A runtime has nothing to start, so its start has ended.
pub(super) async fn status(State(app): State<Arc<App>>, Names(id): Names<u64>) -> Result<Json<Creation>, ApiError> {
    let runtime = find(app.applications.registry(), id).await?;
    let runtime = runtime.ok_or(HsError::UnknownId {
        kind: Kind::Runtime,
        id,
    })?;
    Ok(Json(Creation {
        id,
        status: Progress::Finished,
        runtime: Listed::new(runtime),
    }))
}

/// The runtime with this id, if there is one.
pub(super) async fn find(registry: &Registry, id: u64) -> Result<Option<Runtime>, RegistryError> {
    let runtimes = all(registry).await?;
    Ok(runtimes.into_iter().find(|runtime| seeds::runtime_id(runtime) == id))
}

async fn all(registry: &Registry) -> Result<Vec<Runtime>, RegistryError> {
    let mut runtimes = seeds::runtimes();
    runtimes.extend(Journal::read(registry).await?.runtimes);
    Ok(runtimes)
}

impl Listed {
    fn new(runtime: Runtime) -> Self {
        Self {
            id: seeds::runtime_id(&runtime),
            name: runtime.name,
            version: runtime.version,
            suitable_model_type: runtime.model_types,
            tags: runtime.tags,
            config_params: runtime.config_params,
        }
    }
}
