//! In which form an error is told: our own, or that of the protocol in which the client asked.

use axum::{
    Json,
    extract::Request,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{error::Told, grpc};

/// Whose form errors have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Ours, which is the original's.
    Own,
    /// One sentence, as the Open Inference Protocol has it and TensorFlow Serving too.
    Plain,
    /// A code and a sentence behind the answer, as gRPC has it.
    Grpc,
}

/// An error in one sentence.
#[derive(Serialize, JsonSchema)]
pub(super) struct PlainError {
    /// What is wrong, with the place where there is one.
    error: String,
}

impl Dialect {
    /// The dialect of a request.
    pub(super) fn of_request(request: &Request) -> Self {
        if grpc::is_call(request.headers()) {
            Self::Grpc
        } else {
            Self::of(request.uri().path())
        }
    }

    /// The dialect that is spoken at `path`.
    pub(crate) fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("v1" | "v2" | "invocations" | "ping") => Self::Plain,
            _ => Self::Own,
        }
    }

    /// The same answer, with the error that it may be in this dialect.
    pub(super) fn render(self, response: Response) -> Response {
        match (self, response.extensions().get::<Told>()) {
            (Self::Plain, Some(Told(information))) => {
                let error = information.message.clone();
                plain(response, PlainError { error })
            }
            (Self::Grpc, _) => grpc::render(response),
            _ => response,
        }
    }
}

/// The head of `response` with another body.
fn plain(response: Response, error: PlainError) -> Response {
    let (mut head, _) = response.into_parts();
    // Of the body that was there.
    head.headers.remove(header::CONTENT_LENGTH);
    (head.status, head.headers, head.extensions, Json(error)).into_response()
}
