//! One message in the body of a call: a byte that says whether it is compressed, its length, and itself.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use bytes::{BufMut, Bytes};
use http_body_util::{BodyExt, Full};
use prost::Message;

use crate::{
    App,
    http::{ApiError, body, encoding::Encoding},
};

/// What a message begins with: a byte and four of its length.
pub(in crate::http) const PREFIX_BYTES: usize = 5;

/// The media type of calls and their answers.
pub(super) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// How messages of a call may be compressed.
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// Reads the only message of a call.
///
/// Errors: those of [`body::read`]; more or less than one message; one that is not understood.
pub(super) async fn read<M: Message + Default>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<(M, usize), ApiError> {
    let max_bytes = app.limits.body_max_bytes;
    let frame = body::read(app, body, max_bytes + PREFIX_BYTES).await?;
    let Some((prefix, message)) = frame.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(broken(format!("{} bytes", frame.len())));
    };
    let [compressed, length @ ..] = *prefix;
    let length = u32::from_be_bytes(length) as usize;
    if message.len() != length {
        return Err(broken(format!("{} bytes of a message of {length}", message.len())));
    }
    let message = frame.slice(PREFIX_BYTES..);
    let message = match compressed {
        0 => message,
        1 => {
            encoding(headers)?
                .decode(message, max_bytes, app.limits.inline_max_bytes, &app.heavy)
                .await?
        }
        _ => return Err(broken(format!("a first byte of {compressed}"))),
    };
    let n_bytes = message.len();
    Ok((M::decode(message).map_err(ApiError::Message)?, n_bytes))
}

/// The encoding of messages that are marked as compressed.
fn encoding(headers: &HeaderMap) -> Result<Encoding, ApiError> {
    match headers.get(ENCODING).map(HeaderValue::as_bytes) {
        Some(b"gzip") => Ok(Encoding::Gzip),
        Some(other) => Err(ApiError::MessageEncoding {
            found: String::from_utf8_lossy(other).into_owned(),
        }),
        None => Err(broken("a compressed message without `grpc-encoding`".to_owned())),
    }
}

fn broken(found: String) -> ApiError {
    ApiError::Frame { found }
}

/// Appends `message` with its prefix to the empty `bytes`.
pub(super) fn write(message: &impl Message, bytes: &mut Vec<u8>) {
    let length = message.encoded_len();
    bytes.reserve(PREFIX_BYTES + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).expect("an answer is shorter than what was asked for it in numbers"));
    message.encode(bytes).expect("a vector grows as it must");
}

/// The answer to a call that went well.
pub(super) fn answer(frame: Bytes) -> Response {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(frame).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
    response
}
