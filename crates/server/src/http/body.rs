//! Bodies of requests: read whole, within a limit, and only of the announced kind.

use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::{
    App, BodyPace, Limits,
    http::{ApiError, encoding::Encoding},
};

/// Reads the body.
///
/// Errors: more than `max_bytes`, found at once where the length is announced; slower than it may be; a client that went
/// away.
pub(super) async fn read(app: &App, body: Body, max_bytes: usize) -> Result<Bytes, ApiError> {
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(ApiError::BodyTooLarge { max_bytes });
    }
    let mut reading = Reading {
        body,
        max_bytes,
        first: Bytes::new(),
        whole: BytesMut::new(),
    };
    // Most bodies are there already, and take neither a clock nor a timer.
    match reading.read_on().now_or_never() {
        Some(read) => read?,
        None => read_slowly(&mut reading, app.limits.body_pace).await?,
    }
    app.metrics.received(reading.n_bytes());
    Ok(reading.whole())
}

/// Reads a body that is still on its way, as long as it comes fast enough.
async fn read_slowly(reading: &mut Reading, pace: BodyPace) -> Result<(), ApiError> {
    let began = Instant::now();
    let mut deadline = began + pace.timeout;
    loop {
        if let Ok(read) = timeout_at(deadline, reading.read_on()).await {
            return read;
        }
        let earned = began + pace.time(reading.n_bytes());
        if earned <= deadline {
            return Err(ApiError::BodyTooSlow { pace });
        }
        deadline = earned;
    }
}

/// Reads the body of a prediction or a JSON document, and undoes its encoding.
///
/// Errors: those of [`read`], for what arrives and for what comes out of it; an encoding that is not understood.
pub(super) async fn read_decoded(app: &App, headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    let encoding = Encoding::of(headers)?;
    let Limits {
        body_max_bytes,
        inline_max_bytes,
        ..
    } = app.limits;
    let encoded = read(app, body, body_max_bytes).await?;
    encoding
        .decode(encoded, body_max_bytes, inline_max_bytes, &app.heavy)
        .await
}

/// Reads a JSON document.
pub(super) async fn read_json<T: DeserializeOwned>(app: &App, headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    expect_json(headers)?;
    let bytes = read_decoded(app, headers, body).await?;
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

/// Refuses what is announced as something else than JSON, but takes what is not announced at all, or as what a client
/// says that does not think of it: the clients of the Open Inference Protocol and `curl` do all of this.
///
/// A web page could send two of these to a stranger without asking, but not without saying where it comes from.
pub(super) fn expect_json_or_unsaid(headers: &HeaderMap) -> Result<(), ApiError> {
    let is_said = |text: &str| {
        let value = headers.get(header::CONTENT_TYPE);
        value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(text.as_bytes()))
    };
    let is_from_a_page = headers.contains_key(header::ORIGIN);
    let is_unsaid = !headers.contains_key(header::CONTENT_TYPE) || is_said("application/x-www-form-urlencoded");
    if is_said("application/octet-stream") || (is_unsaid && !is_from_a_page) {
        return Ok(());
    }
    expect_json(headers)
}

/// A body that is being read. A body in one piece is not copied.
struct Reading {
    body: Body,
    max_bytes: usize,
    first: Bytes,
    /// Everything, once there is a second piece.
    whole: BytesMut,
}

impl Reading {
    /// Reads to the end of the body; given up and called again, it goes on.
    async fn read_on(&mut self) -> Result<(), ApiError> {
        while let Some(frame) = self.body.frame().await {
            let Ok(piece) = frame.map_err(|_| ApiError::BodyCutOff)?.into_data() else {
                continue;
            };
            if piece.len() > self.max_bytes - self.n_bytes() {
                return Err(ApiError::BodyTooLarge {
                    max_bytes: self.max_bytes,
                });
            }
            self.add(piece);
        }
        Ok(())
    }

    fn add(&mut self, piece: Bytes) {
        if self.n_bytes() == 0 {
            self.first = piece;
            return;
        }
        if self.whole.is_empty() {
            // What is announced was compared with the limit already.
            let rest = usize::try_from(self.body.size_hint().lower()).unwrap_or_default();
            self.whole
                .reserve(self.first.len() + piece.len() + rest.min(self.max_bytes));
            self.whole.extend_from_slice(&self.first);
        }
        self.whole.extend_from_slice(&piece);
    }

    fn n_bytes(&self) -> usize {
        self.first.len().max(self.whole.len())
    }

    fn whole(self) -> Bytes {
        if self.whole.is_empty() {
            self.first
        } else {
            self.whole.freeze()
        }
    }
}
