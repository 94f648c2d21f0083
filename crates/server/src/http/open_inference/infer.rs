//! Predictions: `POST /v2/models/…/infer`.

use std::{mem, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    response::IntoResponse,
};

use formats::{
    name::{ApplicationName, ModelName},
    open_inference::{
        answer,
        request::{Asked, read, read_raw},
    },
    signature::Signature,
    tensor,
};
use inference::Application;

use super::JSON_LENGTH;
use crate::{
    App,
    http::{
        ApiError, RouteClass, body,
        exchange::Answered,
        names::Names,
        openapi::{BYTES, JSON},
        prediction::{Form, Naming, Said, Target},
    },
};

/// A request as it came.
struct Inference {
    body: Bytes,
    /// The length of the JSON that it begins with; none where there is nothing but elements.
    n_json_bytes: usize,
    model: String,
    naming: Naming,
}

/// Asks an application.
pub(in crate::http) async fn of_application(
    State(app): State<Arc<App>>,
    Names(application): Names<ApplicationName>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answered, ApiError> {
    let target = Target::application(app.application(&application)?);
    Ok(answer(&app, &target, application.to_string(), &headers, body).await)
}

/// As [`of_application`], past the router, which matches, extracts and boxes.
///
/// `None`: the request is whole, and another one, or its path names nothing, or in another way than it has to.
pub(in crate::http) async fn predict_at_once(app: &App, request: &mut Request) -> Option<Answered> {
    let application = named(app, request)?;
    let name = application.name().as_str().to_owned();
    let target = Target::application(application);
    let body = mem::take(request.body_mut());
    Some(answer(app, &target, name, request.headers(), body).await)
}

fn named(app: &App, request: &Request) -> Option<Arc<Application>> {
    let name = request.uri().path().strip_prefix("/v2/models/")?;
    let name = name
        .strip_suffix("/infer")
        .filter(|_| request.method() == Method::POST)?;
    app.applications.find(name)
}

/// Asks a version by its own name.
pub(in crate::http) async fn of_version(
    State(app): State<Arc<App>>,
    Names((model, number)): Names<(ModelName, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answered, ApiError> {
    let target = Target::version(&app, &model, &number).await?;
    Ok(answer(&app, &target, model.to_string(), &headers, body).await)
}

async fn answer(app: &App, target: &Target, model: String, headers: &HeaderMap, body: Body) -> Answered {
    let answered = match Inference::receive(app, target, model, headers, body).await {
        Ok(inference) => target.predict(app, headers, inference).await,
        Err(error) => Err(error),
    };
    target.response(app, RouteClass::OpenInference, answered, |bytes, n_json_bytes| {
        let media_type = if n_json_bytes.is_some() { BYTES } else { JSON };
        let mut response = ([(header::CONTENT_TYPE, media_type)], bytes).into_response();
        if let Some(n_json_bytes) = n_json_bytes {
            let name = HeaderName::from_static(JSON_LENGTH);
            response.headers_mut().insert(name, HeaderValue::from(n_json_bytes));
        }
        response
    })
}

impl Inference {
    async fn receive(
        app: &App,
        target: &Target,
        model: String,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, ApiError> {
        body::expect_json_or_unsaid(headers)?;
        let body = body::read_decoded(app, headers, body).await?;
        Ok(Self {
            n_json_bytes: n_json_bytes(headers, body.len())?,
            body,
            model,
            naming: target.naming(app),
        })
    }
}

/// How much of the body is JSON: all of it, where the client does not say.
fn n_json_bytes(headers: &HeaderMap, body_bytes: usize) -> Result<usize, ApiError> {
    let Some(value) = headers.get(JSON_LENGTH) else {
        return Ok(body_bytes);
    };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    let length = length.filter(|length| *length <= body_bytes);
    length.ok_or_else(|| ApiError::JsonLength {
        found: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        body_bytes,
    })
}

impl Form for Inference {
    type Asked = Asked;
    /// The length of the JSON, where binary tensors stand behind it.
    type Note = Option<usize>;

    fn n_bytes(&self) -> usize {
        self.body.len()
    }

    fn read(
        &self,
        signature: &Signature,
        limits: tensor::Limits,
        request: &mut tensor::Request,
    ) -> Result<Asked, ApiError> {
        Ok(match self.body.split_at(self.n_json_bytes) {
            ([], elements @ [_, ..]) => read_raw(elements, signature, limits, request)?,
            (json, binary) => read(json, binary, signature, limits, request)?,
        })
    }

    fn write(&self, asked: Asked, said: Said<'_>, bytes: &mut Vec<u8>) -> Option<usize> {
        let version = self.naming.text(&said);
        let answer = answer::Answer {
            model: &self.model,
            version: version.as_deref(),
            id: asked.id.as_deref(),
            signature: said.signature,
            outline: &asked.outputs,
            outputs: said.outputs,
        };
        answer.write(bytes)
    }
}
