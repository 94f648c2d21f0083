//! A client of gRPC by hand: one message there, one message back.

use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use prost::Message;

use crate::support::Fixture;

/// How a call did not go well.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A message behind its prefix.
pub(crate) fn frame(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat()
}

/// Calls `path` without its first slash; gives the answer and its headers.
pub(crate) async fn call<A: Message + Default>(
    fixture: &Fixture,
    path: &str,
    message: &impl Message,
) -> Result<(A, HeaderMap), Failure> {
    let (answer, headers) = call_with(fixture, path, &HeaderMap::new(), frame(message)).await?;
    Ok((A::decode(answer).unwrap(), headers))
}

/// The same with further headers, and with any body.
pub(crate) async fn call_with(
    fixture: &Fixture,
    path: &str,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Result<(Bytes, HeaderMap), Failure> {
    let mut request = Request::post(format!("/{path}"))
        .header(header::CONTENT_TYPE, "application/grpc")
        .body(Body::from(body))
        .unwrap();
    request.headers_mut().extend(headers.clone());
    let response = fixture.send(request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/grpc");
    let headers = response.headers().clone();
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_else(|| headers.clone());
    let text = |name: &str| {
        trailers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
            .to_owned()
    };
    match text("grpc-status").as_str() {
        "0" => Ok((collected.to_bytes().slice(5..), headers)),
        code => Err(Failure {
            code: code.to_owned(),
            message: unescaped(&text("grpc-message")),
        }),
    }
}

/// A text in which `%5B` stands for a bracket.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}
