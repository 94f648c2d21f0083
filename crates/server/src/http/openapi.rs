//! The OpenAPI 3.1 document of the endpoints, made once somebody asks for it.

mod refusals;
mod security;
mod tensors;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use formats::{
    api::{ErrorBody, IDEMPOTENCY_KEY},
    name::ModelName,
    signature::Signature,
};

use crate::{
    App, Limits,
    http::{
        RouteClass,
        dialect::{Dialect, PlainError},
        endpoints,
    },
};

/// The media type of our bodies.
pub(super) const JSON: &str = "application/json";
/// The media type of an artifact, and of tensors in binary form.
pub(super) const BYTES: &str = "application/octet-stream";

/// What the document says of one method of one path.
pub(super) struct Operation {
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    request: Option<Value>,
    answers: BTreeMap<u16, Value>,
    /// The statuses of errors.
    refusals: Vec<StatusCode>,
}

/// The types of bodies, each described once.
pub(super) struct Schemas {
    generator: SchemaGenerator,
    limits: Limits,
}

impl Operation {
    pub(super) fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            parameters: Vec::new(),
            request: None,
            answers: BTreeMap::new(),
            refusals: vec![StatusCode::INTERNAL_SERVER_ERROR, StatusCode::GATEWAY_TIMEOUT],
        }
    }

    /// It takes a body of this media type; `example` is one that is understood where there is a version 1 of `mnist`.
    pub(super) fn takes(mut self, media_type: &str, schema: Value, example: Option<Value>) -> Self {
        let mut content = json!({"schema": schema});
        if let Some(example) = example {
            content["example"] = example;
        }
        self.request = Some(json!({"required": true, "content": {media_type: content}}));
        self
    }

    /// Its body may be left out.
    pub(super) fn or_nothing(mut self) -> Self {
        if let Some(request) = &mut self.request {
            request["required"] = false.into();
        }
        self
    }

    /// It takes the header that makes an upload safe to repeat.
    pub(super) fn takes_idempotency_key(mut self) -> Self {
        self.parameters.push(json!({
            "name": IDEMPOTENCY_KEY,
            "in": "header",
            "description": "Makes the upload safe to repeat: the same key gives the same version.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
        }));
        self
    }

    /// It answers with a body of this media type.
    pub(super) fn answers(mut self, status: StatusCode, what: &str, media_type: &str, schema: Value) -> Self {
        let answer = json!({"description": what, "content": {media_type: {"schema": schema}}});
        self.answers.insert(status.as_u16(), answer);
        self
    }

    /// Its answer of this status may also be of another media type.
    pub(super) fn also_answers(mut self, status: StatusCode, media_type: &str, schema: Value) -> Self {
        if let Some(answer) = self.answers.get_mut(&status.as_u16()) {
            answer["content"][media_type] = json!({"schema": schema});
        }
        self
    }

    /// Its answer of this status has a header.
    pub(super) fn with_header(mut self, status: StatusCode, name: &str, what: &str) -> Self {
        if let Some(answer) = self.answers.get_mut(&status.as_u16()) {
            answer["headers"][name] = json!({"description": what, "required": true, "schema": {"type": "string"}});
        }
        self
    }

    /// It answers with an error of these statuses.
    pub(super) fn refuses(mut self, statuses: &[StatusCode]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    fn render(&self, path: &str) -> Value {
        let names = path.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
        let parameters: Vec<Value> = names
            .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
            .chain(self.parameters.iter().cloned())
            .collect();
        let mut answers = self.answers.clone();
        for status in &self.refusals {
            let name = refusals::component(Dialect::of(path), *status);
            let reference = json!({"$ref": format!("#/components/responses/{name}")});
            answers.entry(status.as_u16()).or_insert(reference);
        }
        let answers: Map<String, Value> = answers
            .into_iter()
            .map(|(status, answer)| (status.to_string(), answer))
            .collect();
        let mut operation = json!({"operationId": self.id, "summary": self.summary, "responses": answers});
        if !parameters.is_empty() {
            operation["parameters"] = parameters.into();
        }
        if let Some(request) = &self.request {
            operation["requestBody"] = request.clone();
        }
        operation
    }
}

impl Schemas {
    /// Describes no type yet.
    pub(super) fn new(limits: Limits) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let settings = settings
            .with_transform(RecursiveTransform(without_links))
            .with_transform(RecursiveTransform(with_maximum));
        Self {
            generator: settings.into_generator(),
            limits,
        }
    }

    /// A reference to the type's description.
    pub(super) fn of<T: JsonSchema>(&mut self) -> Value {
        self.generator.subschema_for::<T>().to_value()
    }

    /// What the model of the examples takes and gives.
    pub(super) fn signature(&self) -> Signature {
        mnist_signature()
    }

    /// A predict request for images like MNIST's.
    pub(super) fn predict_request(&self) -> Value {
        tensors::request(&mnist_signature().inputs, self.limits.images_max)
    }

    /// The answer to it.
    pub(super) fn predict_answer(&self) -> Value {
        tensors::answer(&mnist_signature().outputs, self.limits.images_max)
    }
}

/// Answers with the document.
pub(super) async fn document(State(app): State<Arc<App>>) -> Response {
    let document = app.document.get_or_init(|| render(&app));
    ([(header::CONTENT_TYPE, JSON)], document.clone()).into_response()
}

fn render(app: &App) -> Bytes {
    let mut schemas = Schemas::new(app.limits);
    let mut paths = Map::new();
    for endpoint in endpoints::all(&mut schemas) {
        let mut operation = endpoint.operation;
        let class = RouteClass::of(endpoint.path);
        if class.is_work() {
            operation = operation.refuses(&[StatusCode::SERVICE_UNAVAILABLE, StatusCode::UNAUTHORIZED]);
        }
        if class.is_management() {
            operation = operation.refuses(&[StatusCode::FORBIDDEN]);
        }
        let mut operation = operation.render(endpoint.path);
        if let Some(requirement) = security::requirement(&app.access, class) {
            operation["security"] = requirement;
        }
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        path[method_key(&endpoint.method)] = operation;
    }
    let errors = [
        (Dialect::Own, schemas.of::<ErrorBody>()),
        (Dialect::Plain, schemas.of::<PlainError>()),
    ];
    let name = schemas.of::<ModelName>();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Slipway",
            "summary": "Serves versions of small image classifiers, and manages them.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "parameters": parameters(&name),
            "responses": refusals::all(&errors),
            "securitySchemes": security::schemes(),
            "schemas": schemas.generator.take_definitions(true),
        },
    });
    document.to_string().into()
}

/// How a request looks when the model is like those that the trainer makes of MNIST.
fn mnist_signature() -> Signature {
    let name = "predict".parse().expect("letters are a name");
    Signature::classifier(name, 28, 28, 10)
}

/// What stands between braces in a path.
fn parameters(name: &Value) -> Value {
    let named = |parameter: &str, what: &str, example: &str| {
        json!({
            "name": parameter, "in": "path", "required": true, "description": what, "schema": name, "example": example,
        })
    };
    json!({
        "application": named("application", "The application.", "mnist-app"),
        "signature": named("signature", "The way to call its model.", "predict"),
        "model": named("model", "The model.", "mnist"),
        "version": {
            "name": "version", "in": "path", "required": true, "description": "The number of the version.",
            "schema": {"type": "integer", "minimum": 1, "maximum": u32::MAX}, "example": 1,
        },
    })
}

/// A path item names its operations in lower case.
fn method_key(method: &Method) -> String {
    method.as_str().to_ascii_lowercase()
}

/// Says how large an integer may be, which the name of its format does not say to every reader.
fn with_maximum(schema: &mut Schema) {
    let maximum = match schema.get("format").and_then(Value::as_str) {
        Some("uint8") => u64::from(u8::MAX),
        Some("uint32") => u64::from(u32::MAX),
        Some("uint64" | "uint") => u64::MAX,
        _ => return,
    };
    schema.insert("maximum".to_owned(), maximum.into());
}

/// Takes the brackets off the links that doc comments have: the document leads nowhere.
fn without_links(schema: &mut Schema) {
    let description = schema.get("description").and_then(Value::as_str);
    if let Some(text) = description.map(|text| text.replace("[`", "`").replace("`]", "`")) {
        schema.insert("description".to_owned(), text.into());
    }
}
