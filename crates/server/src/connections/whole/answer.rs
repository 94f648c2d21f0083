//! The head of an answer, as HTTP/1.1 has it.

use std::{
    cell::RefCell,
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::http::{StatusCode, header, response::Parts};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};

/// A date as headers have it, and in which second since 1970 it was written.
#[derive(Default)]
struct Date {
    second: u64,
    text: String,
}

thread_local! {
    static DATE: RefCell<Date> = RefCell::default();
}

/// Appends the head of an answer whose body has `n_bytes`.
pub(super) fn write_head(head: &Parts, n_bytes: u64, is_last: bool, text: &mut Vec<u8>) {
    text.extend_from_slice(b"HTTP/1.1 ");
    text.extend_from_slice(head.status.as_str().as_bytes());
    text.push(b' ');
    text.extend_from_slice(head.status.canonical_reason().unwrap_or_default().as_bytes());
    text.extend_from_slice(b"\r\n");
    for (name, value) in &head.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    let has_body = !matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if has_body && !head.headers.contains_key(header::CONTENT_LENGTH) {
        write!(text, "content-length: {n_bytes}\r\n").expect("a vector takes every text");
    }
    if is_last {
        text.extend_from_slice(b"connection: close\r\n");
    }
    text.extend_from_slice(b"date: ");
    DATE.with_borrow_mut(|date| text.extend_from_slice(date.now()));
    text.extend_from_slice(b"\r\n\r\n");
}

impl Date {
    fn now(&mut self) -> &[u8] {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = since_epoch.as_secs();
        if second != self.second || self.text.is_empty() {
            self.second = second;
            let timestamp = i64::try_from(second)
                .ok()
                .and_then(|second| Timestamp::from_second(second).ok());
            let text =
                timestamp.and_then(|timestamp| DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).ok());
            self.text = text.unwrap_or_default();
        }
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Response;
    use jiff::fmt::rfc2822::DateTimeParser;

    use super::*;

    /// The head of `response` without its date, which is there.
    fn written(response: Response<()>, is_last: bool) -> String {
        let (head, ()) = response.into_parts();
        let mut text = Vec::new();
        write_head(&head, 7, is_last, &mut text);
        let text = String::from_utf8(text).unwrap();
        let (before, date) = text.split_once("date: ").unwrap();
        let (date, end) = date.split_at("Sun, 06 Nov 1994 08:49:37 GMT".len());
        assert_eq!(end, "\r\n\r\n");
        assert!(DateTimeParser::new().parse_timestamp(date).is_ok(), "{date}");
        before.to_owned()
    }

    #[test]
    fn a_head_says_how_long_the_body_is() {
        let response = Response::builder()
            .header("x-b", "1")
            .header("x-b", "2")
            .body(())
            .unwrap();
        let expected = "HTTP/1.1 200 OK\r\nx-b: 1\r\nx-b: 2\r\ncontent-length: 7\r\n";
        assert_eq!(written(response.clone(), false), expected);
        assert_eq!(written(response, true), format!("{expected}connection: close\r\n"));
        let known = Response::builder()
            .status(422)
            .header("content-length", "7")
            .body(())
            .unwrap();
        assert_eq!(
            written(known, false),
            "HTTP/1.1 422 Unprocessable Entity\r\ncontent-length: 7\r\n"
        );
        let empty = Response::builder().status(204).body(()).unwrap();
        assert_eq!(written(empty, false), "HTTP/1.1 204 No Content\r\n");
    }
}
