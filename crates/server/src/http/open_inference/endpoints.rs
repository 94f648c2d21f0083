//! The endpoints of the protocol, for the table of all.

use axum::http::StatusCode as Status;
use serde_json::{Value, json};

use formats::{
    api::MODEL_VERSION,
    open_inference::documents::{
        Health, IndexEntry, IndexRequest, LoadRequest, ModelMetadata, ModelReady, ServerMetadata, Statistics,
    },
};

use super::{infer, models, repository, schemas, statistics};
use crate::http::{
    endpoints::{Endpoint, get, post, upright_stroke},
    openapi::{BYTES, JSON, Operation, Schemas},
};

const WRONG_OR_MISSING: [Status; 2] = [Status::BAD_REQUEST, Status::NOT_FOUND];

/// All of them.
pub(in crate::http) fn all(all_schemas: &mut Schemas) -> Vec<Endpoint> {
    [
        server(all_schemas),
        applications(all_schemas),
        versions(all_schemas),
        repository(all_schemas),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn server(schemas: &mut Schemas) -> Vec<Endpoint> {
    let health = schemas.of::<Health>();
    let statistics = schemas.of::<Statistics>();
    vec![
        get(
            "/v2",
            models::server,
            tells("v2Server", "What the server is", schemas.of::<ServerMetadata>()),
        ),
        get(
            "/v2/health/live",
            models::live,
            tells("v2Live", "Whether the process runs", health.clone()),
        ),
        get(
            "/v2/health/ready",
            models::ready,
            tells(
                "v2Ready",
                "Whether every application is loaded, as far as it can be",
                health.clone(),
            )
            .answers(Status::SERVICE_UNAVAILABLE, "Not yet, or not any more.", JSON, health),
        ),
        get(
            "/v2/models/stats",
            statistics::all,
            tells("v2Statistics", "What was asked of every model", statistics),
        ),
    ]
}

fn applications(schemas: &mut Schemas) -> Vec<Endpoint> {
    let (metadata, ready) = (schemas.of::<ModelMetadata>(), schemas.of::<ModelReady>());
    let statistics = schemas.of::<Statistics>();
    vec![
        get(
            "/v2/models/{application}",
            models::application,
            tells("v2Application", "How an application is called", metadata).refuses(&WRONG_OR_MISSING),
        ),
        get(
            "/v2/models/{application}/ready",
            models::application_ready,
            tells("v2ApplicationReady", "Whether an application answers", ready).refuses(&WRONG_OR_MISSING),
        ),
        get(
            "/v2/models/{application}/stats",
            statistics::of_application,
            tells(
                "v2ApplicationStatistics",
                "What was asked of an application",
                statistics,
            )
            .refuses(&WRONG_OR_MISSING),
        ),
        post(
            "/v2/models/{application}/infer",
            infer::of_application,
            infers("v2Infer", "Classify images by an application", schemas),
        ),
    ]
}

fn versions(schemas: &mut Schemas) -> Vec<Endpoint> {
    let (metadata, ready) = (schemas.of::<ModelMetadata>(), schemas.of::<ModelReady>());
    let statistics = schemas.of::<Statistics>();
    vec![
        get(
            "/v2/models/{model}/versions/{version}",
            models::version,
            tells("v2Version", "How a version of a model is called", metadata).refuses(&WRONG_OR_MISSING),
        ),
        get(
            "/v2/models/{model}/versions/{version}/ready",
            models::version_ready,
            tells("v2VersionReady", "Whether a version of a model answers", ready)
                .refuses(&WRONG_OR_MISSING)
                .refuses(&[Status::CONFLICT]),
        ),
        get(
            "/v2/models/{model}/versions/{version}/stats",
            statistics::of_version,
            tells(
                "v2VersionStatistics",
                "What was asked of a version of a model",
                statistics,
            )
            .refuses(&WRONG_OR_MISSING),
        ),
        post(
            "/v2/models/{model}/versions/{version}/infer",
            infer::of_version,
            infers("v2InferVersion", "Classify images by a version of a model", schemas).refuses(&[Status::CONFLICT]),
        ),
    ]
}

fn repository(schemas: &mut Schemas) -> Vec<Endpoint> {
    let load = schemas.of::<LoadRequest>();
    let empty = json!({"type": "object"});
    let refused = [Status::PAYLOAD_TOO_LARGE, Status::UNSUPPORTED_MEDIA_TYPE];
    vec![
        post(
            "/v2/repository/index",
            repository::index,
            tells(
                "v2Index",
                "What there is, and whether it answers",
                schemas.of::<Vec<IndexEntry>>(),
            )
            .takes(JSON, schemas.of::<IndexRequest>(), Some(json!({"ready": false})))
            .or_nothing()
            .refuses(&[Status::BAD_REQUEST])
            .refuses(&refused),
        ),
        post(
            "/v2/repository/models/{model}/load",
            repository::load,
            tells(
                "v2Load",
                "Let the versions of a model answer by their own name",
                empty.clone(),
            )
            .takes(JSON, load.clone(), Some(json!({})))
            .or_nothing()
            .refuses(&WRONG_OR_MISSING)
            .refuses(&[Status::CONFLICT])
            .refuses(&refused),
        ),
        post(
            "/v2/repository/models/{model}/unload",
            repository::unload,
            tells("v2Unload", "Let them answer behind applications only", empty)
                .takes(JSON, load, Some(json!({})))
                .or_nothing()
                .refuses(&WRONG_OR_MISSING)
                .refuses(&[Status::CONFLICT])
                .refuses(&refused),
        ),
    ]
}

fn tells(id: &'static str, summary: &'static str, schema: Value) -> Operation {
    Operation::new(id, summary).answers(Status::OK, "As the protocol has it.", JSON, schema)
}

fn infers(id: &'static str, summary: &'static str, all_schemas: &Schemas) -> Operation {
    let signature = all_schemas.signature();
    let example = schemas::example(&upright_stroke());
    tells(id, summary, schemas::answer(&signature))
        .also_answers(Status::OK, BYTES, json!({}))
        .takes(JSON, schemas::request(&signature), Some(example))
        .with_header(
            Status::OK,
            MODEL_VERSION,
            "The version that answered, such as `mnist:3`.",
        )
        .refuses(&WRONG_OR_MISSING)
        .refuses(&[Status::PAYLOAD_TOO_LARGE, Status::UNSUPPORTED_MEDIA_TYPE])
}
