//! Environments: where the original's services may run. Here all run in this program, and an environment is a name.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use formats::journal::{Environment, JournalEvent};
use inference::{Registry, RegistryError};

use super::{journal::Journal, seeds};
use crate::{
    App,
    http::{ApiError, body},
};

/// An environment as the original shows it.
#[derive(Serialize)]
pub(super) struct Listed {
    id: u64,
    name: String,
    placeholders: Vec<Value>,
}

/// An environment as a client describes it.
#[derive(Deserialize)]
struct Described {
    name: String,
    #[serde(default)]
    placeholders: Vec<Value>,
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Vec<Listed>>, ApiError> {
    let environments = all(app.applications.registry()).await?;
    Ok(Json(environments.into_iter().map(Listed::new).collect()))
}

/// Lists an environment: 201, or 200 where it is listed already.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Listed>), ApiError> {
    let Described { name, placeholders } = body::read_json(&app, &headers, body).await?;
    let registry = app.applications.registry();
    let listed = all(registry).await?.into_iter().find(|listed| listed.name == name);
    if let Some(listed) = listed {
        return Ok((StatusCode::OK, Json(Listed::new(listed))));
    }
    let environment = Environment { name, placeholders };
    registry
        .record(JournalEvent::EnvironmentListed(environment.clone()))
        .await?;
    Ok((StatusCode::CREATED, Json(Listed::new(environment))))
}

/// Whether an environment has this id.
pub(super) async fn exists(registry: &Registry, id: u64) -> Result<bool, RegistryError> {
    let environments = all(registry).await?;
    Ok(environments
        .iter()
        .any(|environment| seeds::environment_id(&environment.name) == id))
}

async fn all(registry: &Registry) -> Result<Vec<Environment>, RegistryError> {
    let mut environments = seeds::environments();
    environments.extend(Journal::read(registry).await?.environments);
    Ok(environments)
}

impl Listed {
    fn new(environment: Environment) -> Self {
        Self {
            id: seeds::environment_id(&environment.name),
            name: environment.name,
            placeholders: environment.placeholders,
        }
    }
}
