//! The first version of the protocol of model servers, as TensorFlow Serving and KServe have it, under `/v1/models`:
//! translation only. Errors are told as `{"error": "…"}`.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode as Status, Uri, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use formats::{api::MODEL_VERSION, instances, name::ApplicationName, signature::Signature, tensor};

use crate::{
    App,
    http::{
        ApiError, RouteClass, body,
        endpoints::{Endpoint, get, post, upright_stroke},
        names::Names,
        openapi::{JSON, Operation, Schemas},
        prediction::{self, Form, Said, Target},
    },
};

/// Where the names of models begin.
const MODELS: &str = "/v1/models/";

/// A request about instances.
pub(super) struct Instances(Bytes);

/// Answer of `GET /v1/models`.
#[derive(Serialize, JsonSchema)]
struct Models {
    models: Vec<ApplicationName>,
}

/// Answer of `GET /v1/models/{application}`, in the words of both servers.
#[derive(Serialize, JsonSchema)]
struct ModelStatus {
    name: ApplicationName,
    ready: bool,
    model_version_status: [VersionStatus; 1],
}

/// The revision of the application.
#[derive(Serialize, JsonSchema)]
struct VersionStatus {
    version: String,
    state: &'static str,
}

/// The endpoints, for the table of all.
pub(super) fn endpoints(schemas: &mut Schemas) -> Vec<Endpoint> {
    let missing = [Status::BAD_REQUEST, Status::NOT_FOUND];
    vec![
        get(
            "/v1/models",
            list,
            Operation::new("v1Models", "The applications").answers(
                Status::OK,
                "Their names.",
                JSON,
                schemas.of::<Models>(),
            ),
        ),
        get(
            "/v1/models/{application}",
            status,
            Operation::new("v1Status", "Whether an application answers")
                .answers(Status::OK, "It does.", JSON, schemas.of::<ModelStatus>())
                .refuses(&missing),
        ),
        post(
            "/v1/models/{application}:predict",
            predict,
            predicts("v1Predict", "Classify images, each an instance", schemas),
        ),
    ]
}

/// What the document says of a prediction with instances.
pub(super) fn predicts(id: &'static str, summary: &'static str, schemas: &Schemas) -> Operation {
    let request = json!({
        "type": "object",
        "properties": {
            "instances": {"description": "Images, or objects with the inputs by name.", "type": "array"},
            "inputs": {"description": "All images, or an object with the inputs by name."},
        },
    });
    let row = schemas.predict_answer();
    let properties = row["properties"].as_object().into_iter().flatten();
    let of_one: serde_json::Map<String, Value> = properties
        .map(|(name, rows)| (name.clone(), rows["items"].clone()))
        .collect();
    let prediction = json!({"type": "object", "required": row["required"], "properties": of_one});
    let answer = json!({
        "type": "object",
        "properties": {
            "predictions": {"description": "To `instances`.", "type": "array", "items": prediction},
            "outputs": row,
        },
        "oneOf": [{"required": ["predictions"]}, {"required": ["outputs"]}],
    });
    Operation::new(id, summary)
        .takes(JSON, request, Some(json!({"instances": [upright_stroke()]})))
        .answers(
            Status::OK,
            "`predictions` for `instances`, `outputs` for `inputs`.",
            JSON,
            answer,
        )
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
        ])
}

/// Puts a slash in place of the colon before the verb, which the router cannot see within a part of a path.
pub(super) fn separate_verb(uri: &mut Uri) {
    let path = uri.path();
    let Some((name, verb)) = path.strip_prefix(MODELS).and_then(|rest| rest.rsplit_once(':')) else {
        return;
    };
    let separated = format!("{MODELS}{name}/{verb}");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(separated).ok();
    if let Ok(separated) = Uri::from_parts(parts) {
        *uri = separated;
    }
}

async fn list(State(app): State<Arc<App>>) -> Json<Models> {
    let deployed = app.applications.deployed();
    let models = deployed.iter().map(|application| application.name().clone()).collect();
    Json(Models { models })
}

async fn status(
    State(app): State<Arc<App>>,
    Names(name): Names<ApplicationName>,
) -> Result<Json<ModelStatus>, ApiError> {
    let application = app.application(&name)?;
    Ok(Json(ModelStatus {
        name,
        ready: true,
        model_version_status: [VersionStatus {
            version: application.number().to_string(),
            state: "AVAILABLE",
        }],
    }))
}

async fn predict(
    State(app): State<Arc<App>>,
    Names(application): Names<ApplicationName>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let target = Target::application(app.application(&application)?);
    Ok(answer(&app, &target, RouteClass::V1, &headers, body).await)
}

/// Answers with what `target` says about the instances in the body.
pub(super) async fn answer(app: &App, target: &Target, class: RouteClass, headers: &HeaderMap, body: Body) -> Response {
    let answered = match receive(app, headers, body).await {
        Ok(instances) => target.predict(app, headers, instances).await,
        Err(error) => Err(error),
    };
    target.response(app, class, answered, prediction::json).into_response()
}

async fn receive(app: &App, headers: &HeaderMap, body: Body) -> Result<Instances, ApiError> {
    body::expect_json_or_unsaid(headers)?;
    Ok(Instances(body::read_decoded(app, headers, body).await?))
}

impl Form for Instances {
    type Asked = instances::Format;
    type Note = ();

    fn n_bytes(&self) -> usize {
        self.0.len()
    }

    fn read(
        &self,
        signature: &Signature,
        limits: tensor::Limits,
        request: &mut tensor::Request,
    ) -> Result<instances::Format, ApiError> {
        Ok(instances::read(&self.0, signature, limits, request)?)
    }

    fn write(&self, format: instances::Format, said: Said<'_>, bytes: &mut Vec<u8>) {
        instances::write(format, &said.signature.outputs, said.outputs, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_verb_behind_a_model_is_separated() {
        for (before, after) in [
            ("/v1/models/mnist-app:predict", "/v1/models/mnist-app/predict"),
            ("/v1/models/a:b:predict", "/v1/models/a:b/predict"),
            ("/v1/models/mnist-app", "/v1/models/mnist-app"),
            ("/v2/models/mnist-app:predict", "/v2/models/mnist-app:predict"),
        ] {
            let mut uri: Uri = before.parse().unwrap();
            separate_verb(&mut uri);
            assert_eq!(uri, *after, "{before}");
        }
    }
}
