//! The request id: under which client, log and answer speak of one request.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header with the request id, in requests and answers.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is taken over, in bytes: room for any id, and none for a body.
const REQUEST_ID_MAX_BYTES: usize = 128;

/// The request id of the client, if it is one, or else a new one.
///
/// An id is 1 to 128 visible ASCII characters, so that it can neither break a line of a log nor fill it.
pub(super) fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_id = |value: &&HeaderValue| {
        (1..=REQUEST_ID_MAX_BYTES).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers.get(REQUEST_ID).filter(is_id).cloned().unwrap_or_else(new)
}

/// Sixteen hexadecimal digits: random, so that ids of several servers meet in one log and neither a counter is shared
/// between threads.
fn new() -> HeaderValue {
    HeaderValue::from_bytes(&hex(fastrand::u64(..))).expect("hexadecimal digits are visible ASCII characters")
}

/// Sixteen hexadecimal digits.
fn hex(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (60 - 4 * place)) as usize & 15];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_client_is_taken_if_it_is_one() {
        let longest = "x".repeat(REQUEST_ID_MAX_BYTES);
        for (sent, is_taken) in [
            ("a", true),
            ("7b2e-\"{}\\", true),
            (longest.as_str(), true),
            ("", false),
            ("two words", false),
            ("tab\there", false),
            ("ümlaut", false),
            (&format!("{longest}x"), false),
        ] {
            let value = HeaderValue::from_bytes(sent.as_bytes()).unwrap();
            let id = request_id(&HeaderMap::from_iter([(REQUEST_ID, value)]));
            assert_eq!(id.as_bytes() == sent.as_bytes(), is_taken, "{sent}");
            assert!(is_taken || id.len() == 16, "{sent}");
        }
    }

    #[test]
    fn new_ids_are_sixteen_digits_and_differ() {
        let (first, second) = (request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
        assert_ne!(first, second);
        assert_eq!(hex(0x0123_4567_89ab_cdef), *b"0123456789abcdef");
        assert!(first.as_bytes().iter().all(u8::is_ascii_hexdigit));
    }
}
