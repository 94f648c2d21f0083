//! Every endpoint with what the OpenAPI document says of it: router and document are made from this one table.

use std::sync::Arc;

use axum::{
    Router,
    handler::Handler,
    http::{Method, StatusCode as Status, header},
    routing::{self, MethodRouter},
};
use serde_json::{Value, json};

use formats::{
    api::{ApplicationState, MODEL_VERSION, ModelSummary, PublishedVersion, Rollback, ServerIdentity},
    application::{ApplicationRevision, ApplicationSpec},
};

use crate::{
    App,
    http::{
        applications, gateway, health, invocations, models, open_inference,
        openapi::{self, BYTES, JSON, Operation, Schemas},
        page::{self, HTML},
        v1,
    },
    metrics,
};

/// One method of one path.
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) operation: Operation,
    route: MethodRouter<Arc<App>>,
}

/// All of them.
pub(super) fn all(schemas: &mut Schemas) -> Vec<Endpoint> {
    [
        predictions(schemas),
        models(schemas),
        applications(schemas),
        open_inference::endpoints::all(schemas),
        v1::endpoints(schemas),
        invocations::endpoints(schemas),
        about(schemas),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The endpoints as a router.
pub(super) fn router(endpoints: Vec<Endpoint>) -> Router<Arc<App>> {
    endpoints.into_iter().fold(Router::new(), |router, endpoint| {
        // A router sees slashes only: `http/v1.rs`.
        router.route(&endpoint.path.replace("}:", "}/"), endpoint.route)
    })
}

fn predictions(schemas: &mut Schemas) -> Vec<Endpoint> {
    let operation = Operation::new("predict", "Classify images")
        .takes(
            JSON,
            schemas.predict_request(),
            Some(json!({"imgs": [upright_stroke()]})),
        )
        .answers(Status::OK, "One entry for each image.", JSON, schemas.predict_answer())
        .with_header(
            Status::OK,
            MODEL_VERSION,
            "The version that answered, such as `mnist:3`.",
        )
        .refuses(&[
            Status::BAD_REQUEST,
            Status::NOT_FOUND,
            Status::PAYLOAD_TOO_LARGE,
            Status::UNSUPPORTED_MEDIA_TYPE,
        ]);
    vec![post(
        "/gateway/applications/{application}/{signature}",
        gateway::predict,
        operation,
    )]
}

fn models(schemas: &mut Schemas) -> Vec<Endpoint> {
    let version = schemas.of::<PublishedVersion>();
    let wrong_or_missing = [Status::BAD_REQUEST, Status::NOT_FOUND];
    vec![
        get(
            "/api/models",
            models::list,
            Operation::new("listModels", "All models").answers(
                Status::OK,
                "By name.",
                JSON,
                schemas.of::<Vec<ModelSummary>>(),
            ),
        ),
        get(
            "/api/models/{model}/versions",
            models::versions,
            Operation::new("listVersions", "All versions of a model")
                .answers(Status::OK, "Oldest first.", JSON, schemas.of::<Vec<PublishedVersion>>())
                .refuses(&wrong_or_missing),
        ),
        post(
            "/api/models/{model}/versions",
            models::publish,
            Operation::new("publishVersion", "Publish an artifact as the next version")
                .takes_idempotency_key()
                .takes(BYTES, json!({}), None)
                .answers(Status::CREATED, "The new version.", JSON, version.clone())
                .with_header(Status::CREATED, header::LOCATION.as_str(), "Where the version is.")
                .answers(
                    Status::OK,
                    "The version that this key has published.",
                    JSON,
                    version.clone(),
                )
                .with_header(Status::OK, header::LOCATION.as_str(), "Where the version is.")
                .refuses(&[Status::BAD_REQUEST, Status::CONFLICT, Status::PAYLOAD_TOO_LARGE]),
        ),
        get(
            "/api/models/{model}/versions/{version}",
            models::version,
            Operation::new("getVersion", "One version of a model")
                .answers(Status::OK, "The version.", JSON, version)
                .refuses(&wrong_or_missing),
        ),
        get(
            "/api/models/{model}/versions/{version}/artifact",
            models::artifact,
            Operation::new("getArtifact", "The artifact of a version")
                .answers(Status::OK, "A safetensors file.", BYTES, json!({}))
                .refuses(&wrong_or_missing),
        ),
    ]
}

fn applications(schemas: &mut Schemas) -> Vec<Endpoint> {
    let revision = schemas.of::<ApplicationRevision>();
    let revisions = schemas.of::<Vec<ApplicationRevision>>();
    let example = json!({"name": "mnist-app", "stages": [{"variants": [{"model": "mnist:1", "weight": 100}]}]});
    let wrong_or_missing = [Status::BAD_REQUEST, Status::NOT_FOUND];
    let refused = [
        Status::BAD_REQUEST,
        Status::CONFLICT,
        Status::PAYLOAD_TOO_LARGE,
        Status::UNSUPPORTED_MEDIA_TYPE,
    ];
    vec![
        get(
            "/api/applications",
            applications::list,
            Operation::new("listApplications", "What answers here, and what should and cannot").answers(
                Status::OK,
                "By name.",
                JSON,
                schemas.of::<Vec<ApplicationState>>(),
            ),
        ),
        get(
            "/api/applications/{application}",
            applications::current,
            Operation::new("getApplication", "The revision of an application that answers here")
                .answers(Status::OK, "The revision.", JSON, revision.clone())
                .refuses(&wrong_or_missing),
        ),
        put(
            "/api/applications/{application}",
            applications::deploy,
            Operation::new("deployApplication", "Deploy an application, named as in the path")
                .takes(JSON, schemas.of::<ApplicationSpec>(), Some(example))
                .answers(Status::CREATED, "A new revision.", JSON, revision.clone())
                .answers(
                    Status::OK,
                    "The revision that was there, because nothing changed.",
                    JSON,
                    revision.clone(),
                )
                .refuses(&refused),
        ),
        post(
            "/api/applications/{application}/rollback",
            applications::roll_back,
            Operation::new("rollBackApplication", "Deploy again what an earlier revision was")
                .takes(JSON, schemas.of::<Rollback>(), Some(json!({"revision": 1})))
                .answers(Status::CREATED, "A new revision.", JSON, revision.clone())
                .answers(
                    Status::OK,
                    "The revision that was there, because it is the same.",
                    JSON,
                    revision,
                )
                .refuses(&refused)
                .refuses(&[Status::NOT_FOUND]),
        ),
        get(
            "/api/applications/{application}/revisions",
            applications::revisions,
            Operation::new("listRevisions", "All revisions of an application")
                .answers(Status::OK, "Oldest first.", JSON, revisions)
                .refuses(&wrong_or_missing),
        ),
    ]
}

fn about(schemas: &mut Schemas) -> Vec<Endpoint> {
    let status = schemas.of::<health::Status>();
    let identity = schemas.of::<ServerIdentity>();
    let text = json!({"type": "string"});
    vec![
        get(
            "/",
            page::page,
            Operation::new("getPage", "A page to draw a digit on, and what is deployed").answers(
                Status::OK,
                "The page.",
                HTML,
                text.clone(),
            ),
        ),
        get(
            "/openapi.json",
            openapi::document,
            Operation::new("getDocument", "This document").answers(
                Status::OK,
                "OpenAPI 3.1.",
                JSON,
                json!({"type": "object"}),
            ),
        ),
        get(
            "/livez",
            health::livez,
            Operation::new("isAlive", "Whether the process runs").answers(Status::OK, "It runs.", JSON, status.clone()),
        ),
        get(
            "/readyz",
            health::readyz,
            Operation::new("isReady", "Whether every application is loaded, as far as it can be")
                .answers(Status::OK, "They are loaded.", JSON, status)
                .refuses(&[Status::SERVICE_UNAVAILABLE]),
        ),
        get(
            "/metrics",
            health::metrics,
            Operation::new("getMetrics", "What the server counts").answers(
                Status::OK,
                "Text for Prometheus.",
                metrics::CONTENT_TYPE,
                text,
            ),
        ),
        get(
            "/api/server",
            health::identity,
            Operation::new("getServer", "Which program listens here").answers(Status::OK, "Who it is.", JSON, identity),
        ),
    ]
}

pub(super) fn get<H: Handler<T, Arc<App>>, T: 'static>(
    path: &'static str,
    answer: H,
    operation: Operation,
) -> Endpoint {
    Endpoint {
        method: Method::GET,
        path,
        operation,
        route: routing::get(answer),
    }
}

pub(super) fn post<H: Handler<T, Arc<App>>, T: 'static>(
    path: &'static str,
    answer: H,
    operation: Operation,
) -> Endpoint {
    Endpoint {
        method: Method::POST,
        path,
        operation,
        route: routing::post(answer),
    }
}

fn put<H: Handler<T, Arc<App>>, T: 'static>(path: &'static str, answer: H, operation: Operation) -> Endpoint {
    Endpoint {
        method: Method::PUT,
        path,
        operation,
        route: routing::put(answer),
    }
}

/// An image of a 1, as an example.
pub(super) fn upright_stroke() -> Value {
    let pixel = |row: usize, column: usize| u8::from((4..24).contains(&row) && (13..15).contains(&column));
    let row = |row| (0..28).map(move |column| pixel(row, column)).collect::<Vec<u8>>();
    (0..28).map(row).collect::<Vec<_>>().into()
}
