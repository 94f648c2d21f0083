//! Calls of gRPC, on the same port as everything else: known by their media type, read within the same limits, and
//! counted, logged and refused as every other request.
//!
//! A message is read whole before it is understood, so that a long or slow one meets the limits of bodies. Health and
//! reflection are tonic's own services, whose answers are streams.

mod calls;
mod frame;
mod health;
mod infer;
mod proto;
mod reflection;
mod status;
mod tensorflow;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use prost::Message;

use crate::{App, http::ApiError};

pub(super) use status::{is_call, render};

/// The protocol's service, before the name of a call.
const INFERENCE: &str = "/inference.GRPCInferenceService/";
/// TensorFlow Serving's.
const PREDICTION: &str = "/tensorflow.serving.PredictionService/";

/// Everything that a call consists of, before its message is read.
struct Call {
    app: Arc<App>,
    headers: HeaderMap,
    body: Body,
}

/// Answers a call.
pub(super) async fn answer(app: Arc<App>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with(health::PREFIX) {
        return health::answer(app, request).await;
    }
    if reflection::is_for(path) {
        return reflection::answer(request).await;
    }
    let path = path.to_owned();
    let (head, body) = request.into_parts();
    let call = Call {
        app,
        headers: head.headers,
        body,
    };
    let answered = match (path.strip_prefix(INFERENCE), path.strip_prefix(PREDICTION)) {
        (Some(name), _) => inference(name, call).await,
        (_, Some("Predict")) => Some(tensorflow::predict(call).await),
        _ => None,
    };
    answered.unwrap_or_else(|| ApiError::NoCall(path).into_response())
}

async fn inference(name: &str, call: Call) -> Option<Response> {
    Some(match name {
        "ModelInfer" => infer::model_infer(call).await,
        "ServerLive" => call.answer(calls::server_live).await,
        "ServerReady" => call.answer(calls::server_ready).await,
        "ServerMetadata" => call.answer(calls::server_metadata).await,
        "ModelReady" => call.answer(calls::model_ready).await,
        "ModelMetadata" => call.answer(calls::model_metadata).await,
        "ModelStatistics" => call.answer(calls::model_statistics).await,
        "RepositoryIndex" => call.answer(calls::repository_index).await,
        "RepositoryModelLoad" => call.answer(calls::repository_model_load).await,
        "RepositoryModelUnload" => call.answer(calls::repository_model_unload).await,
        _ => return None,
    })
}

impl Call {
    /// Answers with what `work` makes of the message.
    async fn answer<M, A, F>(self, work: impl FnOnce(Arc<App>, M) -> F) -> Response
    where
        M: Message + Default,
        A: Message,
        F: Future<Output = Result<A, ApiError>>,
    {
        let message = frame::read(&self.app, &self.headers, self.body).await;
        let answered = match message {
            Ok((message, _)) => work(self.app, message).await,
            Err(error) => Err(error),
        };
        let frame = answered.map(|answer| {
            let mut bytes = Vec::new();
            frame::write(&answer, &mut bytes);
            frame::answer(Bytes::from(bytes))
        });
        frame.into_response()
    }
}
