//! Errors as gRPC tells them: a code and a sentence, with status 200.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use tonic::{Code, Status};

use super::frame::MEDIA_TYPE;
use crate::{http::error::Told, metrics::Reason};

/// The same answer, with the error that it may be as gRPC tells it.
pub(in crate::http) fn render(response: Response) -> Response {
    let Some(Told(information)) = response.extensions().get::<Told>() else {
        return response;
    };
    let code = code(response.status(), response.extensions().get::<Reason>());
    let status = Status::new(code, information.message.clone());
    let (head, _) = response.into_parts();
    let mut response = status.into_http::<Body>();
    *response.extensions_mut() = head.extensions;
    response
}

/// The code that means what a status means, and why a request was turned away, if it was.
fn code(status: StatusCode, reason: Option<&Reason>) -> Code {
    match (status, reason) {
        (_, Some(Reason::Overload)) | (StatusCode::PAYLOAD_TOO_LARGE, _) => Code::ResourceExhausted,
        (StatusCode::BAD_REQUEST, _) => Code::InvalidArgument,
        (StatusCode::UNAUTHORIZED, _) => Code::Unauthenticated,
        (StatusCode::FORBIDDEN, _) => Code::PermissionDenied,
        (StatusCode::NOT_FOUND, _) => Code::NotFound,
        (StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE, _) => Code::Unimplemented,
        (StatusCode::CONFLICT, _) => Code::FailedPrecondition,
        (StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT, _) => Code::DeadlineExceeded,
        (StatusCode::SERVICE_UNAVAILABLE, _) => Code::Unavailable,
        _ => Code::Internal,
    }
}

/// Whether a request with these headers is a call.
pub(in crate::http) fn is_call(headers: &HeaderMap) -> bool {
    let value = headers
        .get(axum::http::header::CONTENT_TYPE)
        .map(|value| value.as_bytes());
    let halves = value.and_then(|value| value.split_at_checked(MEDIA_TYPE.len()));
    let rest = halves.filter(|(begin, _)| begin.eq_ignore_ascii_case(MEDIA_TYPE.as_bytes()));
    matches!(rest, Some((_, [] | [b'+' | b';', ..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_media_type_of_calls_makes_a_call() {
        let is_call = |value: &'static str| {
            is_call(&HeaderMap::from_iter([(
                axum::http::header::CONTENT_TYPE,
                value.parse().unwrap(),
            )]))
        };
        for value in [
            "application/grpc",
            "Application/gRPC",
            "application/grpc+proto",
            "application/grpc;x=y",
        ] {
            assert!(is_call(value), "{value}");
        }
        for value in ["application/grpc-web", "application/grpcx", "application/json", ""] {
            assert!(!is_call(value), "{value}");
        }
    }
}
