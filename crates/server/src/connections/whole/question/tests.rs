//! What is taken, what is left to hyper, and that both read the same.

use std::{cell::RefCell, convert::Infallible, time::Duration};

use axum::{
    body::HttpBody,
    http::{self, HeaderMap},
    response::Response,
};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use proptest::{prelude::*, sample::Index};
use tokio::{io::AsyncWriteExt, runtime::Builder};

use super::*;

const LIMITS: ConnectionLimits = ConnectionLimits {
    connections_max: 1,
    header_max_bytes: 200,
    headers_max: 4,
    header_timeout: Duration::MAX,
    write_timeout: Duration::MAX,
    idle_timeout: Duration::MAX,
    http2_streams_max: 1,
    http2_resets_max: 1,
};

#[tokio::test]
async fn a_whole_request_is_taken_and_what_follows_stays() {
    let mut read = Bytes::from_static(
        b"POST /a/b?c=d HTTP/1.1\r\nHost: test\r\nCONTENT-Length: 5\r\nconnection: Keep-Alive\r\nx:  y \r\n\r\nthree POST",
    );
    let request = take(&mut read, &LIMITS).unwrap();
    assert_eq!(read, " POST");
    assert_eq!(
        (request.method(), request.uri()),
        (&Method::POST, &"/a/b?c=d".parse().unwrap())
    );
    let headers: Vec<_> = request.headers().iter().collect();
    let expected = [
        ("host", "test"),
        ("content-length", "5"),
        ("connection", "Keep-Alive"),
        ("x", "y"),
    ];
    let expected = expected.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    assert_eq!(
        headers,
        expected.iter().map(|(name, value)| (name, value)).collect::<Vec<_>>()
    );
    assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), "three");
}

#[test]
fn everything_else_is_left_as_it_is() {
    let long = format!("POST /{} HTTP/1.1\r\ncontent-length: 0\r\n\r\n", "x".repeat(200));
    let many = format!("POST / HTTP/1.1\r\n{}content-length: 0\r\n\r\n", "x: y\r\n".repeat(4));
    let too_many = format!("POST / HTTP/1.1\r\n{}content-length: 0\r\n\r\n", "x: y\r\n".repeat(40));
    for text in [
        "",
        "POST",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        "POST * HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        "POST http://test/ HTTP/1.1\r\ncontent-length: 0\r\n\r\n",
        "POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 0\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: +1\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: 1, 1\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length:\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 18446744073709551615\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1",
        "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\nexpect: 100-continue\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\nupgrade: h2c\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-type: application/grpc\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-type: Application/gRPC+proto\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length : 1\r\n\r\n1",
        "POST / HTTP/1.1\r\ncontent-length: 1\r\n folded: 1\r\n\r\n1",
        &long,
        &many,
        &too_many,
    ] {
        let mut read = Bytes::copy_from_slice(text.as_bytes());
        assert!(take(&mut read, &LIMITS).is_none(), "{text}");
        assert_eq!(read, text);
    }
}

/// What a request comes down to.
type Parts = (Method, Uri, HeaderMap, Bytes);

async fn parts<B: HttpBody<Data = Bytes>>(request: http::Request<B>) -> Option<Parts> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    Some((head.method, head.uri, head.headers, body))
}

/// The first request that hyper finds in `bytes`.
async fn by_hyper(bytes: &[u8]) -> Option<Parts> {
    let (mut client, server) = tokio::io::duplex(64 << 10);
    client.write_all(bytes).await.unwrap();
    client.shutdown().await.unwrap();
    let first = RefCell::new(None);
    let service = service_fn(async |request: http::Request<Incoming>| {
        let parts = parts(request).await;
        first.borrow_mut().get_or_insert(parts);
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let mut http1 = http1::Builder::new();
    // Nothing more comes, and an answer is still wanted.
    http1.half_close(true);
    // What is wrong behind the first request is no matter here.
    let _ = http1.serve_connection(TokioIo::new(server), service).await;
    first.into_inner().flatten()
}

const QUESTION: &str =
    "POST /a/b?c=d HTTP/1.1\r\nhost: test\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nthree";
/// What has another meaning in another place, and headers that change where a request ends.
const PIECES: [&str; 24] = [
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    ":",
    ",",
    ";",
    "0",
    "1",
    "5",
    "+",
    "-",
    "#",
    "%",
    "a",
    "\0",
    "\u{7f}",
    "\u{e9}",
    "content-length: 5\r\n",
    "content-length: 4\r\n",
    "transfer-encoding: chunked\r\n",
    "connection: close\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// A request that two readers understand differently is a way past the one that stands in front.
    #[test]
    fn whatever_is_taken_is_what_hyper_reads(
        edits in proptest::collection::vec((any::<Index>(), 0..3_usize, any::<Index>()), 0..4),
    ) {
        let mut bytes = QUESTION.as_bytes().to_vec();
        for (place, n_removed, piece) in edits {
            let start = place.index(bytes.len() + 1);
            let end = (start + n_removed).min(bytes.len());
            bytes.splice(start..end, piece.get(&PIECES).bytes());
        }
        let mut read = Bytes::from(bytes.clone());
        let runtime = Builder::new_current_thread().build().unwrap();
        if let Some(request) = take(&mut read, &LIMITS) {
            let taken = runtime.block_on(parts(request));
            prop_assert_eq!(&taken, &runtime.block_on(by_hyper(&bytes)), "{:?}", String::from_utf8_lossy(&bytes));
            let body = taken.unwrap().3;
            prop_assert!(bytes.ends_with(&[body, read].concat()));
        } else {
            prop_assert_eq!(read, bytes);
        }
    }
}
