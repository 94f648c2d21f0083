//! The two routes of a container for SageMaker: `POST /invocations`, and `GET /ping`, which is V2's readiness.
//!
//! Such a container has one model. Here it is the application that the client names in a header, or else that the server
//! was told, or else the only one.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode as Status},
    response::Response,
};

use formats::{name::ApplicationName, open_inference::documents::Health};

use crate::{
    App,
    http::{
        ApiError, RouteClass,
        endpoints::{Endpoint, get, post},
        open_inference::models,
        openapi::{JSON, Operation, Schemas},
        prediction::Target,
        v1,
    },
};

/// The header with which a client of SageMaker names a model.
const TARGET_MODEL: &str = "x-amzn-sagemaker-target-model";

/// The endpoints, for the table of all.
pub(super) fn endpoints(schemas: &mut Schemas) -> Vec<Endpoint> {
    let health = schemas.of::<Health>();
    vec![
        get(
            "/ping",
            models::ready,
            Operation::new("ping", "Whether a container for SageMaker is ready")
                .answers(Status::OK, "It is.", JSON, health.clone())
                .answers(Status::SERVICE_UNAVAILABLE, "Not yet, or not any more.", JSON, health),
        ),
        post(
            "/invocations",
            invoke,
            v1::predicts("invoke", "Classify images by the one application", schemas).refuses(&[Status::CONFLICT]),
        ),
    ]
}

async fn invoke(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Result<Response, ApiError> {
    let target = Target::application(app.application(&application(&app, &headers)?)?);
    Ok(v1::answer(&app, &target, RouteClass::Invocations, &headers, body).await)
}

/// Errors: a header that is no name; nothing that says which of several.
fn application(app: &App, headers: &HeaderMap) -> Result<ApplicationName, ApiError> {
    if let Some(value) = headers.get(TARGET_MODEL) {
        let name = String::from_utf8_lossy(value.as_bytes()).parse();
        let place = TARGET_MODEL;
        return name.map_err(|error| ApiError::Name { place, error });
    }
    if let Some(application) = &app.invocations {
        return Ok(application.clone());
    }
    match app.applications.deployed().as_slice() {
        [only] => Ok(only.name().clone()),
        [] if !app.applications.is_restored() => Err(ApiError::NotReady),
        deployed => Err(ApiError::WhichApplication {
            n_deployed: deployed.len(),
        }),
    }
}
