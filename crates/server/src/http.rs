//! The routes, and what surrounds each request.

mod access_log;
mod applications;
mod body;
mod class;
mod dialect;
mod encoding;
mod endpoints;
mod error;
mod exchange;
mod gateway;
mod grpc;
mod health;
mod hs;
mod ids;
mod invocations;
mod models;
mod names;
mod open_inference;
mod openapi;
mod page;
mod pieces;
mod prediction;
mod slashes;
mod ticket;
mod trace_context;
mod v1;

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::Request,
    http::{Method, Uri},
    response::Response,
};
use tower::{Service, service_fn};

use crate::{App, http::openapi::Schemas};

pub(crate) use class::RouteClass;
pub(crate) use error::ApiError;
pub(crate) use trace_context::TraceContext;

/// All routes over `app`, with everything that surrounds them.
pub fn router(
    app: Arc<App>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static
{
    let routes = routes(app.clone());
    service_fn(move |mut request| {
        let (app, routes) = (app.clone(), routes.clone());
        async move { Ok(exchange::answer(&app, &routes, &mut request).await) }
    })
}

fn routes(app: Arc<App>) -> Router {
    endpoints::router(endpoints::all(&mut Schemas::new(app.limits)))
        // The original's contract is described by its own documents, so ours leaves it out.
        .merge(hs::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        // The limit of a body depends on what it is for, so it stands where the body is read: `http/body.rs`.
        .with_state(app)
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
