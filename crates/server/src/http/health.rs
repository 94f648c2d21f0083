//! Is it alive, is it ready, who is it, and what has it done?

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use formats::{api::ServerIdentity, name::ApplicationName};

use crate::{App, http::ApiError, life::Stage, metrics};

/// Answer of the two probes.
#[derive(Serialize, JsonSchema)]
pub(super) struct Status {
    status: &'static str,
    /// The applications whose newest revision cannot be served.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    broken: Vec<ApplicationName>,
}

/// The process runs: no statement about anything else, so that a slow registry never gets it restarted.
pub(super) async fn livez() -> Json<Status> {
    Json(Status {
        status: "alive",
        broken: Vec::new(),
    })
}

/// Every application of the registry is loaded and warmed up, as far as it can be, and the server was not asked to end;
/// those that cannot are named.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<Json<Status>, ApiError> {
    if app.life.stage() > Stage::Running {
        Err(ApiError::Leaving)
    } else if app.applications.is_restored() {
        Ok(Json(Status {
            status: "ready",
            broken: app.applications.broken().into_keys().collect(),
        }))
    } else {
        Err(ApiError::NotReady)
    }
}

/// Which program listens here, so that a client does not take another one for it.
pub(super) async fn identity(State(app): State<Arc<App>>) -> Json<ServerIdentity> {
    Json(app.identity.clone())
}

/// The counters, for Prometheus.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], app.metrics.render()).into_response()
}
