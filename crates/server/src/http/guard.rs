//! Limits around a request: how many at once, and how long.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::time;

use crate::{App, http::ApiError};

/// Refuses a request when as many are worked on as may be.
pub(super) async fn in_flight(State(app): State<Arc<App>>, request: Request, next: Next) -> Result<Response, ApiError> {
    let permit = app.permits.try_acquire().map_err(|_| ApiError::Overloaded)?;
    let response = next.run(request).await;
    drop(permit);
    Ok(response)
}

/// Gives up on a request that takes too long.
pub(super) async fn time_limit(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let limit = app.limits.request_timeout;
    time::timeout(limit, next.run(request))
        .await
        .map_err(|_| ApiError::TimedOut { limit })
}
