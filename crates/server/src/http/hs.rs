//! What `hs` 0.1.3, the command line of the original, asks for: a translation into what [`inference`] offers, and back.
//!
//! The original builds images and starts runtimes for them. Here a version is ready when its upload is answered, so a build
//! has always ended; runtimes and environments are names that manifests may use; aggregations are kept, and nothing is
//! computed from them. What is understood and not carried out, the answer says under `notices`.

mod aggregations;
mod applications;
mod archive;
mod contract;
mod environments;
mod error;
mod ids;
mod journal;
mod models;
mod parts;
mod profiler;
mod runtimes;
mod seeds;
mod times;
mod upload;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post},
};

use crate::App;

pub(super) use archive::ArchiveError;
pub(super) use error::HsError;

/// The routes of the original's manager, of its monitoring and of its profiler. Its gateway is our own.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/model", get(models::list))
        .route("/api/v1/model/upload", post(upload::upload))
        .route("/api/v1/model/build", post(upload::build_again))
        .route("/api/v1/model/build/{id}", get(upload::build))
        .route("/api/v1/model/version", get(models::versions))
        .route(
            "/api/v1/model/version/{id}/flatContract",
            get(contract::flat_of_version),
        )
        .route("/api/v1/modelSource", get(models::sources))
        .route("/api/v1/runtime", get(runtimes::list).post(runtimes::create))
        .route("/api/v1/runtime/status/{id}", get(runtimes::status))
        .route(
            "/api/v1/environment",
            get(environments::list).post(environments::create),
        )
        .route(
            "/api/v1/applications",
            get(applications::list)
                .post(applications::create)
                .put(applications::update),
        )
        .route("/api/v1/applications/serve/{id}/{signature}", post(applications::serve))
        .route(
            "/monitoring/aggregations",
            get(aggregations::list).post(aggregations::add),
        )
        .route("/monitoring/aggregations/{id}", delete(aggregations::remove))
        .route("/profiler/batch/{id}/csv", post(profiler::push))
        .route("/profiler/batch/{id}/status", get(profiler::status))
}
