//! Predictions: `POST /gateway/applications/{application}/{signature}`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use tokio::task;

use formats::{
    api::MODEL_VERSION,
    name::{ApplicationName, SignatureName},
    tensor::{self, parse_request},
};
use inference::{Prediction, Route};

use crate::{
    App,
    http::{ApiError, body, names::Names},
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
    let prediction = answered.as_ref().ok().map(|answer| &answer.prediction);
    let served = Served {
        traffic: app.metrics.traffic(&application, prediction.map(Prediction::version)),
        n_images: prediction.map_or(0, |prediction| prediction.class_ids().len() as u64),
    };
    let mut response = answered.into_response();
    response.extensions_mut().insert(served);
    Ok(response)
}

async fn answer(app: &App, route: Arc<Route>, headers: &HeaderMap, body: Body) -> Result<Answer, ApiError> {
    body::expect_json(headers)?;
    let bytes = body::read(app, body, app.limits.body_max_bytes).await?;
    let limits = tensor::Limits {
        images_max: app.limits.images_max,
    };
    let ticket = fastrand::u64(..);
    let stays_here = bytes.len() <= app.limits.inline_max_bytes;
    let work = move || {
        let request = parse_request(&bytes, route.signature(), limits)?;
        let prediction = route.predict(&request.inputs[0], ticket)?;
        let json = serde_json::to_vec(&Outputs(&prediction)).map_err(ApiError::Encode)?;
        Ok(Answer { prediction, json })
    };
    // A hop to another thread costs more than one image does; many images would hold up this thread's other requests.
    if stays_here {
        work()
    } else {
        task::spawn_blocking(work).await.map_err(ApiError::Worker)?
    }
}

/// A prediction and its JSON.
struct Answer {
    prediction: Prediction,
    json: Vec<u8>,
}

/// The prediction in the original's form: one row for each image, and one column for the class.
struct Outputs<'a>(&'a Prediction);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let version = HeaderValue::try_from(self.prediction.version().to_string())
            .expect("a version is ASCII letters, digits and punctuation");
        let json = HeaderValue::from_static("application/json");
        let headers = [
            (header::CONTENT_TYPE, json),
            (HeaderName::from_static(MODEL_VERSION), version),
        ];
        (headers, self.json).into_response()
    }
}

impl Serialize for Outputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(prediction) = self;
        let class_ids = prediction.class_ids().iter();
        let mut object = serializer.serialize_struct("Outputs", 4)?;
        object.serialize_field("class_ids", &Rows(|| class_ids.clone().map(|class_id| [class_id])))?;
        object.serialize_field(
            "classes",
            &Rows(|| class_ids.clone().map(|class_id| [class_id.to_string()])),
        )?;
        // As `f32`, so that each number has the fewest digits that give the same number back.
        object.serialize_field("logits", &Rows(|| prediction.logits()))?;
        object.serialize_field("probabilities", &Rows(|| prediction.probabilities()))?;
        object.end()
    }
}

/// An array from an iterator, without a copy.
struct Rows<F>(F);

impl<F: Fn() -> I, I: IntoIterator<Item: Serialize>> Serialize for Rows<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}
