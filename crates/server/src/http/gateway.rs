//! Predictions: `POST /gateway/applications/{application}/{signature}`.

use std::{mem, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method},
};

use formats::{
    name::{ApplicationName, SignatureName},
    signature::Signature,
    tensor::{self, parse_request_into},
};

use crate::{
    App,
    http::{
        ApiError, RouteClass, body,
        exchange::Answered,
        names::Names,
        prediction::{Answer, Form, Said, Target, json},
    },
};

/// A request in the form of the original.
struct Original(Bytes);

/// What a path names.
type PathNames = (ApplicationName, SignatureName);

/// Answers with what the application's model says about the images in the body.
pub(super) async fn predict(
    State(app): State<Arc<App>>,
    Names(names): Names<PathNames>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answered, ApiError> {
    let (application, signature) = names;
    let target = Target::signature(&app, &application, &signature)?;
    Ok(predict_by(&app, &target, &headers, body).await)
}

/// As [`predict`], past the router, which matches, extracts and boxes: half a dozen allocations for each request.
///
/// `None`: the request is whole, and none for a prediction, or its path names nothing, or in another way than it has to.
pub(super) async fn predict_at_once(app: &App, request: &mut Request) -> Option<Answered> {
    let target = named(app, request)?;
    let body = mem::take(request.body_mut());
    Some(predict_by(app, &target, request.headers(), body).await)
}

fn named(app: &App, request: &Request) -> Option<Target> {
    let names = request.uri().path().strip_prefix("/gateway/applications/")?;
    let (application, signature) = names.split_once('/').filter(|_| request.method() == Method::POST)?;
    Target::find(app, application, signature)
}

async fn predict_by(app: &App, target: &Target, headers: &HeaderMap, body: Body) -> Answered {
    let answered = answer(app, target, headers, body).await;
    target.response(app, RouteClass::Gateway, answered, json)
}

async fn answer(app: &App, target: &Target, headers: &HeaderMap, body: Body) -> Result<Answer<()>, ApiError> {
    body::expect_json(headers)?;
    let bytes = body::read_decoded(app, headers, body).await?;
    target.predict(app, headers, Original(bytes)).await
}

impl Form for Original {
    type Asked = ();
    type Note = ();

    fn n_bytes(&self) -> usize {
        self.0.len()
    }

    fn read(
        &self,
        signature: &Signature,
        limits: tensor::Limits,
        request: &mut tensor::Request,
    ) -> Result<(), ApiError> {
        Ok(parse_request_into(&self.0, signature, limits, request)?)
    }

    fn write(&self, (): (), said: Said<'_>, bytes: &mut Vec<u8>) {
        said.outputs.write_fields(&said.signature.outputs, bytes);
    }
}
