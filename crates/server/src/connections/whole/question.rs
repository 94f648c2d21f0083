//! What counts as a whole request: POST with a body whose length is announced, and nothing that asks for more than an answer.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, Uri, header},
};
use bytes::Bytes;
use httparse::{EMPTY_HEADER, Status};

use super::HEADERS;
use crate::settings::ConnectionLimits;

/// Most headers of a request that is understood here; browsers send half as many.
const HEADERS_MAX: usize = 32;

/// What the content type of gRPC begins with.
const GRPC: &[u8] = b"application/grpc";

/// Takes the request that `read` begins with. `None`: it is one for hyper, which says what is wrong where anything is, and all
/// of it is still there.
pub(super) fn take(read: &mut Bytes, limits: &ConnectionLimits) -> Option<Request> {
    if !read.starts_with(b"POST /") {
        return None;
    }
    let mut room = [EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut room);
    let Ok(Status::Complete(head_bytes)) = parsed.parse(read) else {
        return None;
    };
    let is_within = head_bytes <= limits.header_max_bytes as usize && parsed.headers.len() <= limits.headers_max;
    if !is_within || parsed.version != Some(1) {
        return None;
    }
    let uri = Uri::from_maybe_shared(read.slice_ref(parsed.path?.as_bytes())).ok()?;
    let mut headers = HEADERS.take();
    let mut body_bytes = None;
    for found in parsed.headers {
        let name = HeaderName::from_bytes(found.name.as_bytes()).ok()?;
        if name == header::CONTENT_LENGTH {
            // Two lengths are one too many.
            if body_bytes.replace(length(found.value)?).is_some() {
                return None;
            }
        } else if !is_plain(&name, found.value) {
            return None;
        }
        headers.append(name, HeaderValue::from_maybe_shared(read.slice_ref(found.value)).ok()?);
    }
    let end = head_bytes.checked_add(body_bytes?)?;
    if read.len() < end {
        return None;
    }
    let body = read.split_to(end).split_off(head_bytes);
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Some(request)
}

/// Whether a header changes nothing in how a request is read and its answer written.
fn is_plain(name: &HeaderName, value: &[u8]) -> bool {
    match *name {
        header::CONNECTION => value.eq_ignore_ascii_case(b"keep-alive"),
        // What gRPC sends by HTTP/1.1 is answered by a stream.
        header::CONTENT_TYPE => !is_grpc(value),
        header::TRANSFER_ENCODING | header::EXPECT | header::UPGRADE | header::TE => false,
        _ => true,
    }
}

/// Upper and lower case are the same in the type of a content.
fn is_grpc(content_type: &[u8]) -> bool {
    let begins = content_type.get(..GRPC.len());
    begins.is_some_and(|begins| begins.eq_ignore_ascii_case(GRPC))
}

/// Digits and nothing else.
fn length(value: &[u8]) -> Option<usize> {
    let text = str::from_utf8(value).ok()?;
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

#[cfg(test)]
mod tests;
