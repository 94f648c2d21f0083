//! Predictions: `POST /gateway/applications/{application}/{signature}`.

use std::{cell::RefCell, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use formats::{
    api::MODEL_VERSION,
    name::{ApplicationName, SignatureName},
    tensor::{self, parse_request_into},
    version::ModelVersion,
};
use inference::{Route, Scratch};

use crate::{
    App,
    http::{ApiError, body, names::Names, ticket},
    metrics::Served,
};

/// Answers with what the application's model says about the images in the body.
pub(super) async fn predict(
    State(app): State<Arc<App>>,
    Names((application, signature)): Names<(ApplicationName, SignatureName)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let route = app.route(&application, &signature)?;
    let answered = answer(&app, route, &headers, body).await;
    let answer = answered.as_ref().ok();
    let served = Served {
        traffic: app.metrics.traffic(&application, answer.map(|answer| &answer.version)),
        n_images: answer.map_or(0, |answer| answer.n_images as u64),
    };
    let mut response = answered.into_response();
    if app.access.hides_version {
        response.headers_mut().remove(MODEL_VERSION);
    }
    response.extensions_mut().insert(served);
    Ok(response)
}

/// An answer as JSON, and what it is about.
struct Answer {
    /// Of the last stage: the one that gave the answer.
    version: ModelVersion,
    /// Of all stages, as the header names them.
    versions: HeaderValue,
    n_images: usize,
    json: Bytes,
}

/// Room for the numbers and the text of one request.
#[derive(Default)]
struct Workspace {
    request: tensor::Request,
    scratch: Scratch,
    json: Vec<u8>,
}

thread_local! {
    /// Of requests that are worked on where they were read: these are short, so the room that they leave is small.
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

async fn answer(app: &App, route: Arc<Route>, headers: &HeaderMap, body: Body) -> Result<Answer, ApiError> {
    body::expect_json(headers)?;
    let bytes = body::read_decoded(app, headers, body).await?;
    let limits = tensor::Limits {
        images_max: app.limits.images_max,
    };
    let ticket = ticket::draw(&route, headers);
    // A hop to another thread costs more than one image does; many images would hold up this thread's other requests.
    if bytes.len() <= app.limits.inline_max_bytes {
        return WORKSPACE.with_borrow_mut(|workspace| workspace.answer(&bytes, &route, limits, ticket));
    }
    let work = move || Workspace::default().answer(&bytes, &route, limits, ticket);
    app.heavy.run(work).await.map_err(ApiError::Worker)?
}

impl Workspace {
    fn answer(&mut self, body: &[u8], route: &Route, limits: tensor::Limits, ticket: u64) -> Result<Answer, ApiError> {
        let Self { request, scratch, json } = self;
        parse_request_into(body, route.signature(), limits, request)?;
        let prediction = route.predict(&request.inputs[0], ticket, scratch)?;
        let outputs = prediction.outputs();
        json.clear();
        outputs.write_fields(&route.signature().outputs, json);
        Ok(Answer {
            version: prediction.version().clone(),
            versions: header_of(prediction.versions()),
            n_images: outputs.class_ids.len(),
            json: Bytes::copy_from_slice(json),
        })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let headers = [
            (header::CONTENT_TYPE, json),
            (HeaderName::from_static(MODEL_VERSION), self.versions),
        ];
        (headers, self.json).into_response()
    }
}

/// The versions of all stages, in the order in which they worked.
fn header_of<'a>(versions: impl Iterator<Item = &'a ModelVersion>) -> HeaderValue {
    let mut text = String::new();
    for version in versions {
        if !text.is_empty() {
            text += ", ";
        }
        text += &version.to_string();
    }
    HeaderValue::try_from(text).expect("a version is ASCII letters, digits and punctuation")
}
