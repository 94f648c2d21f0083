//! Requests of the Open Inference Protocol that are wrong: a 4xx with the place, in the protocol's form.

use axum::{
    body::Body,
    http::{Request, header},
};
use expect_test::{Expect, expect};

use super::{INFER, JSON_LENGTH, binary, one_image};
use crate::support::{Fixture, get, limits, post, text};

/// A request with one text replaced.
fn altered(from: &str, to: &str) -> Request<Body> {
    let body = one_image("");
    assert!(body.contains(from));
    post(INFER, body.replacen(from, to, 1))
}

fn with_header(name: &str, value: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(INFER).header(name, value).body(body.into()).unwrap()
}

/// Sends each request, and compares what is answered, one a line.
async fn check(requests: Vec<(&str, Request<Body>)>, expected: Expect) {
    let fixture = Fixture::deployed().await;
    let mut lines = String::new();
    for (name, request) in requests {
        let answer = text(fixture.send(request).await).await;
        lines += &format!("{name}: {}\n", answer.trim_end().replacen('\n', " ", 1));
    }
    expected.assert_eq(&lines);
}

#[tokio::test]
async fn a_wrong_tensor_is_told_in_the_protocols_form() {
    let input = r#""datatype":"UINT8","shape":[1,784]"#;
    let requests = vec![
        ("empty", post(INFER, "")),
        ("no object", post(INFER, "[1]")),
        ("truncated", post(INFER, one_image("")[..600].to_owned())),
        ("no inputs", post(INFER, "{}")),
        ("another input", altered("imgs", "images")),
        ("another type", altered("FP32", "BF16")),
        ("another shape", altered("[1,784]", "[1,783]")),
        ("negative length", altered("[1,784]", "[-1,784]")),
        ("too many images", altered("[1,784]", "[21,784]")),
        ("a number too few", altered("0.25,", "")),
        ("a number too many", altered("0.25,", "0.25,0.25,")),
        ("a text", altered("0.25,", "\"0.25\",")),
        ("too large", altered("0.25,", "1e39,")),
        (
            "too large for the model",
            post(INFER, one_image("").replace("0.25", "3e38")),
        ),
        ("another output", post(INFER, one_image(r#","outputs":[{"name":"x"}]"#))),
        ("more bytes", binary(input, &[0; 785], "")),
    ];
    let expected = expect![[r#"
        empty: 400 Bad Request {"error":"not JSON at line 1, column 1: expected an object, found the end of the body"}
        no object: 400 Bad Request {"error":"body: expected an object, found an array"}
        truncated: 400 Bad Request {"error":"not JSON at line 1, column 601: expected a digit, found the end of the body"}
        no inputs: 400 Bad Request {"error":"inputs: expected an array of tensors, found no such key"}
        another input: 400 Bad Request {"error":"inputs[0].name: expected `imgs`, found `images`"}
        another type: 400 Bad Request {"error":"inputs[0].datatype: expected `FP32`, `FP64`, `UINT8`, `INT32`, `INT64`, found `BF16`"}
        another shape: 400 Bad Request {"error":"inputs[0].shape: expected [N, 28, 28] or [28, 28] or [784] or [N, 784] or [N, 28, 28, 1] or [28, 28, 1], found [1, 783]"}
        negative length: 400 Bad Request {"error":"inputs[0].shape[0]: expected a whole number from 0 up, found `-1`"}
        too many images: 413 Payload Too Large {"error":"inputs[0].shape: expected at most 20 images, found more"}
        a number too few: 400 Bad Request {"error":"inputs[0].data: expected 784 numbers, found 783"}
        a number too many: 400 Bad Request {"error":"inputs[0].data: expected 784 numbers, found more"}
        a text: 400 Bad Request {"error":"inputs[0].data[0]: expected a number, found a string"}
        too large: 400 Bad Request {"error":"inputs[0].data[0]: expected a number within ±3.4e38, found `1e39`"}
        too large for the model: 400 Bad Request {"error":"imgs[0]: these values are too large for the model"}
        another output: 400 Bad Request {"error":"outputs[0].name: expected `class_ids`, `classes`, `logits`, `probabilities`, found `x`"}
        more bytes: 400 Bad Request {"error":"inputs[0].parameters.binary_data_size: expected 784 bytes, found 785 bytes"}
    "#]];
    check(requests, expected).await;
}

#[tokio::test]
async fn a_wrong_request_is_told_in_the_protocols_form() {
    let image = [0; 784];
    let requests = vec![
        ("bytes that are not there", with_header(JSON_LENGTH, "2", "{}")),
        ("a length beyond the body", with_header(JSON_LENGTH, "3", "{}")),
        ("a length that is none", with_header(JSON_LENGTH, "-1", "{}")),
        ("half an element", with_header(JSON_LENGTH, "0", image[..783].to_vec())),
        ("a text", with_header("content-type", "text/plain", one_image(""))),
        ("a web page", with_header("origin", "http://example.org", one_image(""))),
        ("an encoding", with_header("content-encoding", "br", one_image(""))),
        ("too long", post(INFER, vec![b' '; limits().body_max_bytes + 1])),
        ("no such application", post("/v2/models/nope/infer", one_image(""))),
        (
            "no such version",
            post("/v2/models/mnist/versions/9/infer", one_image("")),
        ),
        ("no version", post("/v2/models/mnist/versions/x/infer", one_image(""))),
        ("no name", get("/v2/models/-")),
        ("no such statistics", get("/v2/models/nope/stats")),
        ("no such route", get("/v2/nope")),
        ("wrong method", get(INFER)),
        ("no document", post("/v2/repository/index", r#"{"ready":"yes"}"#)),
    ];
    let expected = expect![[r#"
        bytes that are not there: 400 Bad Request {"error":"inputs: expected an array of tensors, found no such key"}
        a length beyond the body: 400 Bad Request {"error":"the `inference-header-content-length` header must be the length of the JSON that the body begins with"}
        a length that is none: 400 Bad Request {"error":"the `inference-header-content-length` header must be the length of the JSON that the body begins with"}
        half an element: 400 Bad Request {"error":"body: expected 3136 bytes, found 783 bytes"}
        a text: 415 Unsupported Media Type {"error":"the body must be announced as `application/json` in the `content-type` header"}
        a web page: 415 Unsupported Media Type {"error":"the body must be announced as `application/json` in the `content-type` header"}
        an encoding: 415 Unsupported Media Type {"error":"the `content-encoding` of the body is not understood"}
        too long: 413 Payload Too Large {"error":"the body is too long"}
        no such application: 404 Not Found {"error":"no application `nope` is deployed; deployed: `mnist-app`"}
        no such version: 404 Not Found {"error":"no version `mnist:9` is registered"}
        no version: 400 Bad Request {"error":"wrong version in the path: `x` is not a version, expected a whole number from 1 such as `mnist:3`"}
        no name: 400 Bad Request {"error":"wrong name in the path: `-` at position 1 of the name `-`, expected an ASCII letter or digit"}
        no such statistics: 404 Not Found {"error":"no application `nope` is deployed; deployed: `mnist-app`"}
        no such route: 404 Not Found {"error":"there is nothing at `/v2/nope`"}
        wrong method: 405 Method Not Allowed {"error":"`/v2/models/mnist-app/infer` does not understand GET"}
        no document: 400 Bad Request {"error":"the body is not the document that belongs here: invalid type: string \"yes\", expected a boolean at line 1 column 14"}
    "#]];
    check(requests, expected).await;
}

#[tokio::test]
async fn a_client_may_announce_what_it_sends_in_three_ways() {
    let fixture = Fixture::deployed().await;
    for content_type in [Some("application/json"), Some("application/octet-stream"), None] {
        let mut request = Request::post(INFER);
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        let response = fixture.send(request.body(one_image("").into()).unwrap()).await;
        assert_eq!(response.status(), 200, "{content_type:?}");
    }
}
