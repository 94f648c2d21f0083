//! The routes, and what surrounds each request.

mod applications;
mod body;
mod error;
mod gateway;
mod guard;
mod health;
mod models;
mod names;

use std::sync::Arc;

use axum::{
    Router,
    http::{Method, Request, Uri},
    middleware,
    routing::{get, post},
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::TraceLayer,
};
use tracing::{Span, info_span};

use crate::{App, metrics};

pub(crate) use error::ApiError;

/// All routes over `app`, with everything that surrounds them.
pub fn router(app: Arc<App>) -> Router {
    let limited = Router::new()
        .route(
            "/gateway/applications/{application}/{signature}",
            post(gateway::predict),
        )
        .route("/api/models", get(models::list))
        .route(
            "/api/models/{model}/versions",
            get(models::versions).post(models::publish),
        )
        .route("/api/models/{model}/versions/{version}", get(models::version))
        .route("/api/models/{model}/versions/{version}/artifact", get(models::artifact))
        .route("/api/applications", get(applications::list))
        .route(
            "/api/applications/{application}",
            get(applications::current).put(applications::deploy),
        )
        .route(
            "/api/applications/{application}/revisions",
            get(applications::revisions),
        )
        .layer(
            ServiceBuilder::new()
                // Overload is refused at once, while a refusal is still cheap, instead of queued without a bound.
                .layer(middleware::from_fn_with_state(app.clone(), guard::in_flight))
                // A client that sends slowly, or a store that hangs, gives its place back.
                .layer(middleware::from_fn_with_state(app.clone(), guard::time_limit)),
        );
    // These answer also when everything else is refused: whoever watches the server must not be locked out by load.
    let always = Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/api/server", get(health::identity));
    limited
        .merge(always)
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(
            ServiceBuilder::new()
                // First, so that everything below can name the request in what it says.
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                // Log lines of one request carry its id and its route.
                .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
                // The answer carries the id too, so that a client's report leads to the log.
                .layer(PropagateRequestIdLayer::x_request_id())
                // Outside of the panic guard, so that a panic is counted as the 500 it becomes.
                .layer(middleware::from_fn_with_state(app.clone(), metrics::observe))
                // A defect of ours costs one request its answer, not the connection.
                .layer(CatchPanicLayer::custom(error::from_panic)),
        )
        // The limit of a body depends on what it is for, so it stands where the body is read: `http/body.rs`.
        .with_state(app)
}

fn span<B>(request: &Request<B>) -> Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or("");
    info_span!("request", id, method = %request.method(), path = request.uri().path())
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::NoRoute(uri.path().to_owned())
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::WrongMethod {
        method,
        path: uri.path().to_owned(),
    }
}
