//! Bodies of requests: read whole, within a limit, and only of the announced kind.

use std::error::Error;

use axum::{
    body::{self, Body, HttpBody},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use crate::{App, http::ApiError};

/// Reads the body.
///
/// Errors: more than `max_bytes`, found at once where the length is announced; a client that went away.
pub(super) async fn read(app: &App, body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    let too_large = || ApiError::BodyTooLarge { max_bytes };
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(too_large());
    }
    let bytes = body::to_bytes(body, max_bytes).await.map_err(|error| {
        let beyond_limit = error.source().is_some_and(|source| source.is::<LengthLimitError>());
        if beyond_limit {
            too_large()
        } else {
            ApiError::BodyCutOff
        }
    })?;
    app.metrics.received(bytes.len());
    Ok(bytes)
}

/// Reads a JSON document.
pub(super) async fn read_json<T: DeserializeOwned>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    max_bytes: usize,
) -> Result<T, ApiError> {
    expect_json(headers)?;
    let bytes = read(app, body, max_bytes).await?;
    serde_json::from_slice(&bytes).map_err(ApiError::Document)
}

/// Refuses what is not announced as JSON.
///
/// The original does so too. It also keeps web pages away from a server on this machine: a browser asks before it
/// sends JSON to a stranger, and it is not told that it may.
pub(super) fn expect_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(header::CONTENT_TYPE);
    let kind = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = kind.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        let found = value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Err(ApiError::ContentType { found })
    }
}
