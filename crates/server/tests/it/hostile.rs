//! Requests that are wrong in every way we could think of: always a 4xx in the one form of our errors, with the place.

use axum::{
    body::Body,
    http::{Request, header},
};
use expect_test::{Expect, expect};
use http_body_util::BodyExt;

use crate::support::{Fixture, PREDICT, get, images, limits, post, put, spec, text};

/// One line for each answer: what was sent, the status, the body.
async fn answers(fixture: &Fixture, requests: Vec<(&str, Request<Body>)>) -> String {
    let mut lines = String::new();
    for (name, request) in requests {
        let answer = text(fixture.send(request).await).await;
        lines += &format!("{name}: {}\n", answer.trim_end().replacen('\n', " ", 1));
    }
    lines
}

/// Sends each body to the gateway.
async fn check_bodies(bodies: Vec<(&str, Vec<u8>)>, expected: Expect) {
    let requests = bodies
        .into_iter()
        .map(|(name, body)| (name, post(PREDICT, body)))
        .collect();
    expected.assert_eq(&answers(&Fixture::deployed().await, requests).await);
}

/// A right body with one text replaced.
fn altered(from: &str, to: &str) -> Vec<u8> {
    let body = images(1, "0.5");
    assert!(body.contains(from));
    body.replacen(from, to, 1).into_bytes()
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_with_its_place() {
    let bodies = vec![
        ("empty", vec![]),
        ("truncated", images(1, "0").into_bytes()[..500].to_vec()),
        ("invalid UTF-8", b"{\"imgs\": \"\xff\xfe\"}".to_vec()),
        ("invalid UTF-8 in a key", b"{\"\xff\": 1, \"imgs\": [1]}".to_vec()),
        ("trailing", altered("]]]}", "]]]} {}")),
        ("NaN", altered("0.5", "NaN")),
        ("infinity", altered("0.5", "-Infinity")),
        ("leading zero", altered("0.5", "00.5")),
        ("nested arrays", "[".repeat(150_000).into_bytes()),
        (
            "nested images",
            format!("{{\"imgs\":{}", "[".repeat(150_000)).into_bytes(),
        ),
        ("nested others", format!("{{\"x\":{}", "[".repeat(150_000)).into_bytes()),
        ("nested objects", "{\"a\":".repeat(150_000).into_bytes()),
    ];
    check_bodies(bodies, expect![[r#"
        empty: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 1: expected an object with the inputs, found the end of the body"}}
        truncated: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 501: expected `,` or `]`, found the end of the body"}}
        invalid UTF-8: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 11: invalid UTF-8"}}
        invalid UTF-8 in a key: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 3: invalid UTF-8"}}
        trailing: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 3206: expected the end of the body, found `{`"}}
        NaN: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found `NaN`","path":"imgs[0][0][0]","expected":"a number","found":"`NaN`"}}
        infinity: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found `-Infinity`","path":"imgs[0][0][0]","expected":"a number","found":"`-Infinity`"}}
        leading zero: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 13: expected `,` or `]`, found `0`"}}
        nested arrays: 400 Bad Request {"error":"Client","information":{"message":"body: expected an object with the inputs, found an array","path":"body","expected":"an object with the inputs","found":"an array"}}
        nested images: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found an array","path":"imgs[0][0][0]","expected":"a number","found":"an array"}}
        nested others: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 150005: EOF while parsing a list"}}
        nested objects: 400 Bad Request {"error":"Client","information":{"message":"not JSON at line 1, column 750000: EOF while parsing a value"}}
    "#]]).await;
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_is_refused_with_path_expected_and_found() {
    let twice = format!("{},{}", images(1, "0").trim_end_matches('}'), &images(1, "0")[1..]);
    let bodies = vec![
        ("not an object", b"[1]".to_vec()),
        ("null", b"null".to_vec()),
        ("no input", b"{}".to_vec()),
        ("misspelt input", b"{\"img\":[1]}".to_vec()),
        ("input twice", twice.into_bytes()),
        ("no images", b"{\"imgs\":[]}".to_vec()),
        ("empty image", b"{\"imgs\":[[]]}".to_vec()),
        ("null images", b"{\"imgs\":null}".to_vec()),
        ("a number", b"{\"imgs\":5}".to_vec()),
        ("a text", b"{\"imgs\":\"0.5\"}".to_vec()),
        ("short row", altered("[0.5,", "[")),
        ("long row", altered("[0.5,", "[0.5,0.5,")),
        ("too many images", images(21, "0").into_bytes()),
    ];
    check_bodies(bodies, expect![[r#"
        not an object: 400 Bad Request {"error":"Client","information":{"message":"body: expected an object with the inputs, found an array","path":"body","expected":"an object with the inputs","found":"an array"}}
        null: 400 Bad Request {"error":"Client","information":{"message":"body: expected an object with the inputs, found `null`","path":"body","expected":"an object with the inputs","found":"`null`"}}
        no input: 400 Bad Request {"error":"Client","information":{"message":"imgs: expected an array of numbers, found no such key","path":"imgs","expected":"an array of numbers","found":"no such key"}}
        misspelt input: 400 Bad Request {"error":"Client","information":{"message":"imgs: expected an array of numbers, found no such key","path":"imgs","expected":"an array of numbers","found":"no such key"}}
        input twice: 400 Bad Request {"error":"Client","information":{"message":"imgs: expected one value, found the key twice","path":"imgs","expected":"one value","found":"the key twice"}}
        no images: 400 Bad Request {"error":"Client","information":{"message":"imgs: expected numbers of shape [-1, 28, 28], found none","path":"imgs","expected":"numbers of shape [-1, 28, 28]","found":"none"}}
        empty image: 400 Bad Request {"error":"Client","information":{"message":"imgs[0]: expected numbers of shape [-1, 28, 28], found none","path":"imgs[0]","expected":"numbers of shape [-1, 28, 28]","found":"none"}}
        null images: 400 Bad Request {"error":"Client","information":{"message":"imgs: expected an array, found `null`","path":"imgs","expected":"an array","found":"`null`"}}
        a number: 400 Bad Request {"error":"Client","information":{"message":"imgs: expected an array, found `5`","path":"imgs","expected":"an array","found":"`5`"}}
        a text: 400 Bad Request {"error":"Client","information":{"message":"imgs: expected an array, found a string","path":"imgs","expected":"an array","found":"a string"}}
        short row: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0]: expected 28 numbers, found 27","path":"imgs[0][0]","expected":"28 numbers","found":"27"}}
        long row: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0]: expected 28 numbers, found more","path":"imgs[0][0]","expected":"28 numbers","found":"more"}}
        too many images: 413 Payload Too Large {"error":"Client","information":{"message":"imgs: expected at most 20 images, found more","path":"imgs","expected":"at most 20 images","found":"more"}}
    "#]]).await;
}

#[tokio::test]
async fn a_value_that_is_no_pixel_is_refused_with_its_place() {
    let bodies = vec![
        ("array", altered("0.5", "[0.5]")),
        ("text", altered("0.5", "\"0.5\"")),
        ("NaN as text", altered("0.5", "\"NaN\"")),
        ("null", altered("0.5", "null")),
        ("true", altered("0.5", "true")),
        ("beyond every float", altered("0.5", "1e400")),
        ("beyond f32", altered("0.5", "3.5e38")),
        ("beyond the model", images(1, "3.4e38").into_bytes()),
    ];
    check_bodies(bodies, expect![[r#"
        array: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found an array","path":"imgs[0][0][0]","expected":"a number","found":"an array"}}
        text: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found a string","path":"imgs[0][0][0]","expected":"a number","found":"a string"}}
        NaN as text: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found a string","path":"imgs[0][0][0]","expected":"a number","found":"a string"}}
        null: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found `null`","path":"imgs[0][0][0]","expected":"a number","found":"`null`"}}
        true: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number, found `true`","path":"imgs[0][0][0]","expected":"a number","found":"`true`"}}
        beyond every float: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number within ±3.4e38, found `1e400`","path":"imgs[0][0][0]","expected":"a number within ±3.4e38","found":"`1e400`"}}
        beyond f32: 400 Bad Request {"error":"Client","information":{"message":"imgs[0][0][0]: expected a number within ±3.4e38, found `3.5e38`","path":"imgs[0][0][0]","expected":"a number within ±3.4e38","found":"`3.5e38`"}}
        beyond the model: 400 Bad Request {"error":"Client","information":{"message":"imgs[0]: these values are too large for the model","path":"imgs[0]"}}
    "#]]).await;
}

#[tokio::test]
async fn a_body_of_another_kind_is_refused() {
    let plain = |kind: Option<&str>| {
        let request = kind.into_iter().fold(Request::post(PREDICT), |request, kind| {
            request.header(header::CONTENT_TYPE, kind)
        });
        request.body(Body::from(images(1, "0"))).unwrap()
    };
    let requests = vec![
        ("text", plain(Some("text/plain"))),
        ("form", plain(Some("application/x-www-form-urlencoded"))),
        ("almost", plain(Some("application/jsonp"))),
        ("unannounced", plain(None)),
    ];
    expect![[r#"
        text: 415 Unsupported Media Type {"error":"Client","information":{"message":"the body must be announced as `application/json` in the `content-type` header","expected":"application/json","found":"text/plain"}}
        form: 415 Unsupported Media Type {"error":"Client","information":{"message":"the body must be announced as `application/json` in the `content-type` header","expected":"application/json","found":"application/x-www-form-urlencoded"}}
        almost: 415 Unsupported Media Type {"error":"Client","information":{"message":"the body must be announced as `application/json` in the `content-type` header","expected":"application/json","found":"application/jsonp"}}
        unannounced: 415 Unsupported Media Type {"error":"Client","information":{"message":"the body must be announced as `application/json` in the `content-type` header","expected":"application/json","found":"no such header"}}
    "#]].assert_eq(&answers(&Fixture::deployed().await, requests).await);
}

#[tokio::test]
async fn a_body_is_refused_from_the_first_byte_beyond_the_limit() {
    let max_bytes = limits().body_max_bytes;
    let padded = |length: usize| {
        let body = images(1, "0");
        let padding = " ".repeat(length - body.len());
        body + &padding
    };
    // Without an announced length the limit is found while reading.
    let chunked = |text: String| Body::new(Body::from(text).map_frame(|frame| frame));
    let fixture = Fixture::deployed().await;
    assert_eq!(fixture.send(post(PREDICT, padded(max_bytes))).await.status(), 200);
    assert_eq!(
        fixture.send(post(PREDICT, chunked(padded(max_bytes)))).await.status(),
        200
    );
    let requests = vec![
        ("announced", post(PREDICT, padded(max_bytes + 1))),
        ("chunked", post(PREDICT, chunked(padded(max_bytes + 1)))),
    ];
    expect![[r#"
        announced: 413 Payload Too Large {"error":"Client","information":{"message":"the body is too long","expected":"at most 1048576 bytes"}}
        chunked: 413 Payload Too Large {"error":"Client","information":{"message":"the body is too long","expected":"at most 1048576 bytes"}}
    "#]].assert_eq(&answers(&fixture, requests).await);
}

#[tokio::test]
async fn unknown_names_routes_and_methods_are_named() {
    let fixture = Fixture::deployed().await;
    let ask = |path: &'static str| (path, post(path, images(1, "0")));
    let look = |path: &'static str| (path, get(path));
    let requests = vec![
        ask("/gateway/applications/nope/predict"),
        ask("/gateway/applications/mnist-app/classify"),
        ask("/gateway/applications/mnist%2F..%2Fapp/predict"),
        ask("/gateway/applications/%FF/predict"),
        ask("/gateway/applications/mnist-app"),
        look("/index.html"),
        look("/api/models/../../etc/passwd"),
        look("/api/models/%2e%2e/versions"),
        look("/api/models/nope/versions"),
        look("/api/models/mnist/versions/9"),
        look("/api/models/mnist/versions/0"),
        look("/api/models/mnist/versions/latest/artifact"),
        look("/api/applications/nope"),
        look("/api/applications/nope/revisions"),
        look(PREDICT),
        ("DELETE", Request::delete("/api/models").body(Body::empty()).unwrap()),
    ];
    expect![[r#"
        /gateway/applications/nope/predict: 404 Not Found {"error":"Client","information":{"message":"no application `nope` is deployed; deployed: `mnist-app`"}}
        /gateway/applications/mnist-app/classify: 404 Not Found {"error":"Client","information":{"message":"application `mnist-app` has no signature `classify`; it has: `predict`"}}
        /gateway/applications/mnist%2F..%2Fapp/predict: 400 Bad Request {"error":"Client","information":{"message":"wrong name in the path: `/` at position 6 of the name `mnist/../app`, expected an ASCII letter, digit, `-`, `_` or `.`"}}
        /gateway/applications/%FF/predict: 400 Bad Request {"error":"Client","information":{"message":"wrong name in the path: Invalid UTF-8 in `application`"}}
        /gateway/applications/mnist-app: 404 Not Found {"error":"Client","information":{"message":"there is nothing at `/gateway/applications/mnist-app`"}}
        /index.html: 404 Not Found {"error":"Client","information":{"message":"there is nothing at `/index.html`"}}
        /api/models/../../etc/passwd: 404 Not Found {"error":"Client","information":{"message":"there is nothing at `/api/models/../../etc/passwd`"}}
        /api/models/%2e%2e/versions: 400 Bad Request {"error":"Client","information":{"message":"wrong name in the path: `.` at position 1 of the name `..`, expected an ASCII letter or digit"}}
        /api/models/nope/versions: 404 Not Found {"error":"Client","information":{"message":"no model `nope` is registered"}}
        /api/models/mnist/versions/9: 404 Not Found {"error":"Client","information":{"message":"no version `mnist:9` is registered"}}
        /api/models/mnist/versions/0: 400 Bad Request {"error":"Client","information":{"message":"wrong version in the path: `0` is not a version, expected a whole number from 1 such as `mnist:3`"}}
        /api/models/mnist/versions/latest/artifact: 400 Bad Request {"error":"Client","information":{"message":"wrong version in the path: `latest` is not a version, expected a whole number from 1 such as `mnist:3`"}}
        /api/applications/nope: 404 Not Found {"error":"Client","information":{"message":"no application `nope` is deployed; deployed: `mnist-app`"}}
        /api/applications/nope/revisions: 404 Not Found {"error":"Client","information":{"message":"no application `nope` is registered"}}
        /gateway/applications/mnist-app/predict: 405 Method Not Allowed {"error":"Client","information":{"message":"`/gateway/applications/mnist-app/predict` does not understand GET"}}
        DELETE: 405 Method Not Allowed {"error":"Client","information":{"message":"`/api/models` does not understand DELETE"}}
    "#]].assert_eq(&answers(&fixture, requests).await);
    assert_eq!(fixture.send(get(PREDICT)).await.headers()[header::ALLOW], "POST");
}

#[tokio::test]
async fn an_application_that_is_wrong_is_refused_and_changes_nothing() {
    let fixture = Fixture::deployed().await;
    let address = "/api/applications/mnist-app";
    let right = spec("mnist-app", "mnist:2");
    let bodies = vec![
        ("empty", String::new()),
        ("truncated", right[..30].to_owned()),
        ("no stages key", "{\"name\":\"mnist-app\"}".to_owned()),
        ("no stages", "{\"name\":\"mnist-app\",\"stages\":[]}".to_owned()),
        ("unknown key", right.replace("weight", "wait")),
        ("no version", right.replace("mnist:2", "mnist")),
        ("latest", right.replace("mnist:2", "mnist:latest")),
        ("unknown version", right.replace("mnist:2", "mnist:99")),
        ("99 percent", right.replace("100", "99")),
        ("negative", right.replace("100", "-1")),
        ("other name", spec("other-app", "mnist:2")),
        ("nested", format!("{{\"name\":{}", "[".repeat(150_000))),
    ];
    let requests = bodies
        .into_iter()
        .map(|(name, body)| (name, put(address, body)))
        .collect();
    expect![[r#"
        empty: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: EOF while parsing a value at line 1 column 0"}}
        truncated: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: EOF while parsing a list at line 1 column 30"}}
        no stages key: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: missing field `stages` at line 1 column 20"}}
        no stages: 400 Bad Request {"error":"Client","information":{"message":"wrong application `mnist-app`: no stage, expected one at least","path":"stages"}}
        unknown key: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: unknown field `wait`, expected `model` or `weight` at line 1 column 68"}}
        no version: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: `mnist` has no version, expected `name:number` such as `mnist:3` at line 1 column 59"}}
        latest: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: `latest` is not a version, expected a whole number from 1 such as `mnist:3` at line 1 column 66"}}
        unknown version: 400 Bad Request {"error":"Client","information":{"message":"wrong application `mnist-app`: version `mnist:99` is not registered","path":"stages[0].variants[0].model"}}
        99 percent: 400 Bad Request {"error":"Client","information":{"message":"wrong application `mnist-app`: weights add up to 99, expected 100","path":"stages[0].variants"}}
        negative: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: invalid value: integer `-1`, expected u32 at line 1 column 73"}}
        other name: 400 Bad Request {"error":"Client","information":{"message":"the application in the body has another name than the path","path":"name","expected":"mnist-app","found":"other-app"}}
        nested: 400 Bad Request {"error":"Client","information":{"message":"the body is not the document that belongs here: invalid type: sequence, expected a string at line 1 column 8"}}
    "#]].assert_eq(&answers(&fixture, requests).await);
    let current = text(fixture.send(get(address)).await).await;
    assert!(
        current.contains("\"revision\":1") && current.contains("mnist:1"),
        "{current}"
    );
    assert_eq!(
        fixture
            .applications
            .registry()
            .revisions(&"mnist-app".parse().unwrap())
            .await
            .unwrap()
            .len(),
        1
    );
}
