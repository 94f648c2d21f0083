//! Bodies that arrive encoded.

use std::io::Write;

use axum::{
    body::Body,
    http::{Request, header},
};
use expect_test::expect;
use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::support::{Fixture, PREDICT, images, limits, post, put, spec, text};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    compress_to_vec(plain, CompressionLevel::Fastest)
}

fn encoded(mut request: Request<Body>, encoding: &'static str) -> Request<Body> {
    request
        .headers_mut()
        .insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
    request
}

/// A body of exactly this length.
fn padded(length: usize) -> Vec<u8> {
    let mut body = images(1, "0").into_bytes();
    body.resize(length, b' ');
    body
}

#[tokio::test]
async fn an_encoded_body_is_answered_as_a_plain_one() {
    let fixture = Fixture::deployed().await;
    let body = images(3, "0.5");
    let plain = text(fixture.send(post(PREDICT, body.clone())).await).await;
    assert!(plain.starts_with("200 OK"), "{plain}");
    for (encoding, bytes) in [("gzip", gzip(body.as_bytes())), ("zstd", zstd(body.as_bytes()))] {
        let answer = fixture.send(encoded(post(PREDICT, bytes), encoding)).await;
        assert_eq!(text(answer).await, plain, "{encoding}");
    }
    let document = gzip(spec("mnist-app", "mnist:2").as_bytes());
    let deploy = encoded(put("/api/applications/mnist-app", document), "gzip");
    assert_eq!(fixture.send(deploy).await.status(), 201);
}

#[tokio::test]
async fn the_limit_holds_for_what_comes_out() {
    let fixture = Fixture::deployed().await;
    let max_bytes = limits().body_max_bytes;
    let bomb = vec![0; 64 * max_bytes];
    for (length, status) in [(max_bytes - 1, 200), (max_bytes, 200), (max_bytes + 1, 413)] {
        for (encoding, bytes) in [("gzip", gzip(&padded(length))), ("zstd", zstd(&padded(length)))] {
            let answer = fixture.send(encoded(post(PREDICT, bytes), encoding)).await;
            assert_eq!(answer.status(), status, "{encoding} {length}");
        }
    }
    for (encoding, bytes) in [("gzip", gzip(&bomb)), ("zstd", zstd(&bomb))] {
        assert!(bytes.len() < max_bytes);
        let answer = fixture.send(encoded(post(PREDICT, bytes), encoding)).await;
        assert_eq!(answer.status(), 413, "{encoding}");
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_refused() {
    let fixture = Fixture::deployed().await;
    let unknown = fixture.send(encoded(post(PREDICT, images(1, "0")), "br")).await;
    assert_eq!(unknown.headers()[header::ACCEPT_ENCODING], "gzip, zstd");
    expect![[r#"
        415 Unsupported Media Type
        {"error":"Client","information":{"message":"the `content-encoding` of the body is not understood","expected":"gzip, zstd","found":"br"}}
    "#]]
    .assert_eq(&text(unknown).await);
    for (encoding, expected) in [
        (
            "gzip",
            expect![[r#"
        400 Bad Request
        {"error":"Client","information":{"message":"the body is not gzip, as which it is announced: invalid gzip header"}}
    "#]],
        ),
        (
            "zstd",
            expect![[r#"
        400 Bad Request
        {"error":"Client","information":{"message":"the body is not zstd, as which it is announced: BadMagicNumber(1835606651): Read wrong magic number: 0x6D69227B"}}
    "#]],
        ),
    ] {
        let request = encoded(post(PREDICT, images(1, "0")), encoding);
        fixture.check(request, expected).await;
    }
}
