//! Models and applications over HTTP, in the exact form that clients read.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, header},
};
use expect_test::expect;
use http_body_util::BodyExt;

use formats::api::{IDEMPOTENCY_KEY, MODEL_VERSION};

use crate::support::{Fixture, artifact, get, images, limits, post, put, spec, text};

fn upload(artifact: Vec<u8>, key: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/api/models/mnist/versions");
    if let Some(key) = key {
        request = request.header(IDEMPOTENCY_KEY, key);
    }
    request.body(artifact.into()).unwrap()
}

#[tokio::test]
async fn an_artifact_becomes_a_version_that_can_be_read_back() {
    let fixture = Fixture::empty().await;
    fixture
        .check(
            get("/api/models"),
            expect![[r#"
        200 OK
        []
    "#]],
        )
        .await;
    let response = fixture.send(upload(artifact(3), Some("run-1"))).await;
    assert_eq!(response.headers()[header::LOCATION], "/api/models/mnist/versions/1");
    let created = text(response).await;
    expect![[r#"
        201 Created
        {"format":1,"model":"mnist:1","digest":"d73a7a39e549d10619c2a96e9fead767ae8c12e9f6b17e22096f15435b8cd341","size_bytes":32776,"published_at_ms":0,"idempotency_key":"run-1","header":{"format":2,"signature":{"name":"predict","inputs":[{"name":"imgs","element":"float32","shape":[-1,28,28]}],"outputs":[{"name":"class_ids","element":"int64","shape":[-1,1]},{"name":"classes","element":"string","shape":[-1,1]},{"name":"logits","element":"float32","shape":[-1,10]},{"name":"probabilities","element":"float32","shape":[-1,10]}]},"layers":[784,10],"tensors":"58182912f1bbe445c41b8a43fd263cf4d958981313433249db819d779343c1c7","training":{"engine":"none","steps":1,"batch_size":1,"learning_rate":0.01,"schedule":"constant","seed":1,"final_loss":0.5,"clean":{"correct":97,"total":100},"noisy":{"correct":97,"total":100}},"profile":{"n_images":0,"class_counts":[0,0,0,0,0,0,0,0,0,0],"pixel_histogram":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"pixel_mean":0.0,"pixel_std":0.0,"ink_histogram":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"ink_std":0.0,"mean_image":[0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0]}}}
    "#]].assert_eq(&created);
    let again = text(fixture.send(upload(artifact(3), Some("run-1"))).await).await;
    assert_eq!(again, created.replacen("201 Created", "200 OK", 1));
    assert_eq!(
        text(fixture.send(get("/api/models/mnist/versions/1")).await).await,
        again
    );
    assert_eq!(fixture.send(upload(artifact(4), None)).await.status(), 201);
    fixture
        .check(
            get("/api/models"),
            expect![[r#"
        200 OK
        [{"name":"mnist","versions":2}]
    "#]],
        )
        .await;
    let versions = text(fixture.send(get("/api/models/mnist/versions")).await).await;
    assert_eq!(versions.matches("\"model\":\"mnist:").count(), 2);

    let response = fixture.send(get("/api/models/mnist/versions/1/artifact")).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), artifact(3));
}

#[tokio::test]
async fn a_broken_artifact_is_refused_with_the_reason_and_leaves_nothing() {
    let fixture = Fixture::empty().await;
    let good = artifact(3);
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;
    for (bytes, expected) in [
        (
            vec![],
            expect![[r#"
            400 Bad Request
            {"error":"Client","information":{"message":"the artifact cannot be served: the file has 0 bytes, not as many as it announces: it is truncated, or something was appended"}}
        "#]],
        ),
        (
            b"PK\x03\x04 a zip archive".to_vec(),
            expect![[r#"
            400 Bad Request
            {"error":"Client","information":{"message":"the artifact cannot be served: it announces a header of 8800140462016121680 bytes, expected at most 1048576"}}
        "#]],
        ),
        (
            good[..good.len() - 1].to_vec(),
            expect![[r#"
                400 Bad Request
                {"error":"Client","information":{"message":"the artifact cannot be served: the file has 32775 bytes, not as many as it announces: it is truncated, or something was appended"}}
            "#]],
        ),
        (
            altered,
            expect![[r#"
            400 Bad Request
            {"error":"Client","information":{"message":"the artifact cannot be served: its tensors are altered: their digest is d3c4dd188d8c, expected 58182912f1bb"}}
        "#]],
        ),
        (
            vec![0; limits().artifact_max_bytes + 1],
            expect![[r#"
            413 Payload Too Large
            {"error":"Client","information":{"message":"the body is too long","expected":"at most 1048576 bytes"}}
        "#]],
        ),
    ] {
        fixture.check(upload(bytes, None), expected).await;
    }
    let left: Vec<_> = fixture.folder.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_key_that_is_none_or_belongs_to_another_artifact_is_refused() {
    let fixture = Fixture::empty().await;
    fixture.check(upload(artifact(3), Some("")), expect![[r#"
        400 Bad Request
        {"error":"Client","information":{"message":"the `idempotency-key` header must be 1 to 200 visible ASCII characters"}}
    "#]]).await;
    assert_eq!(
        fixture.send(upload(artifact(3), Some(&"k".repeat(201)))).await.status(),
        400
    );
    assert_eq!(fixture.send(upload(artifact(3), Some("run"))).await.status(), 201);
    fixture.check(upload(artifact(4), Some("run")), expect![[r#"
        409 Conflict
        {"error":"Client","information":{"message":"the idempotency key `run` belongs to `mnist:1`, which is another artifact"}}
    "#]]).await;
}

#[tokio::test]
async fn an_application_is_deployed_once_and_keeps_its_history() {
    let fixture = Fixture::deployed().await;
    let address = "/api/applications/mnist-app";
    fixture.check(get(address), expect![[r#"
        200 OK
        {"format":1,"revision":1,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:1","weight":100}]}]}}
    "#]]).await;
    fixture.check(put(address, spec("mnist-app", "mnist:1")), expect![[r#"
        200 OK
        {"format":1,"revision":1,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:1","weight":100}]}]}}
    "#]]).await;
    fixture.check(put(address, spec("mnist-app", "mnist:2")), expect![[r#"
        201 Created
        {"format":1,"revision":2,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:2","weight":100}]}]}}
    "#]]).await;
    fixture.check(get("/api/applications"), expect![[r#"
        200 OK
        [{"name":"mnist-app","answers":{"format":1,"revision":2,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:2","weight":100}]}]}}}]
    "#]]).await;
    fixture.check(get("/api/applications/mnist-app/revisions"), expect![[r#"
        200 OK
        [{"format":1,"revision":1,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:1","weight":100}]}]}},{"format":1,"revision":2,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:2","weight":100}]}]}}]
    "#]]).await;
}

#[tokio::test]
async fn one_call_goes_back() {
    let fixture = Fixture::deployed().await;
    let back = "/api/applications/mnist-app/rollback";
    fixture
        .check(
            post(back, "{}"),
            expect![[r#"
        409 Conflict
        {"error":"Client","information":{"message":"application `mnist-app` has no revision before 1"}}
    "#]],
        )
        .await;
    assert_eq!(fixture.deploy("mnist:2").await.status(), 201);
    fixture.check(post(back, "{}"), expect![[r#"
        201 Created
        {"format":1,"revision":3,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:1","weight":100}]}]}}
    "#]]).await;
    fixture.check(post(back, r#"{"revision": 1}"#), expect![[r#"
        200 OK
        {"format":1,"revision":3,"deployed_at_ms":0,"application":{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:1","weight":100}]}]}}
    "#]]).await;
    fixture
        .check(
            post(back, r#"{"revision": 4}"#),
            expect![[r#"
        404 Not Found
        {"error":"Client","information":{"message":"application `mnist-app` has no revision 4, its newest is 3"}}
    "#]],
        )
        .await;
    fixture.check(post(back, r#"{"revision": 0}"#), expect![[r#"
        400 Bad Request
        {"error":"Client","information":{"message":"the body is not the document that belongs here: invalid value: integer `0`, expected a nonzero u32 at line 1 column 14"}}
    "#]]).await;
    fixture
        .check(
            post("/api/applications/none/rollback", "{}"),
            expect![[r#"
        404 Not Found
        {"error":"Client","information":{"message":"no application `none` is registered"}}
    "#]],
        )
        .await;
    // A page of a stranger can make a browser send a form, and nothing that is announced as JSON.
    let form = Request::post(back).body(Body::from("{}")).unwrap();
    assert_eq!(fixture.send(form).await.status(), 415);
}

#[tokio::test]
async fn a_client_that_is_told_apart_gets_the_same_version_each_time() {
    let fixture = Fixture::deployed().await;
    let sticky = r#"{"name":"sticky","sticky":{"cookie":"session"},"stages":[{"signature":"predict","variants":[
        {"model":"mnist:1","weight":50},{"model":"mnist:2","weight":50}]}]}"#;
    assert_eq!(
        fixture.send(put("/api/applications/sticky", sticky)).await.status(),
        201
    );
    let version = async |cookie: Option<&str>| {
        let mut request = post("/gateway/applications/sticky/predict", images(1, "0"));
        if let Some(cookie) = cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        let response = fixture.send(request).await;
        response.headers()[MODEL_VERSION].to_str().unwrap().to_owned()
    };
    let mut versions = BTreeSet::new();
    for client in 0..20 {
        let cookie = format!("theme=dark; session=client-{client}");
        let first = version(Some(&cookie)).await;
        for _ in 0..5 {
            assert_eq!(version(Some(&cookie)).await, first, "{cookie}");
        }
        versions.insert(first);
    }
    assert_eq!(versions.len(), 2);
    let mut drawn = BTreeSet::new();
    for _ in 0..100 {
        drawn.insert(version(None).await);
    }
    assert_eq!(drawn.len(), 2, "without the cookie each request is drawn anew");
}

#[tokio::test]
async fn the_form_with_stages_answers_under_both_names() {
    let fixture = Fixture::deployed().await;
    let staged = r#"{"name":"staged","stages":[{"signature":"predict","variants":[
        {"model":"mnist:1","weight":50},{"model":"mnist:2","weight":50}]}]}"#;
    assert_eq!(
        fixture.send(put("/api/applications/staged", staged)).await.status(),
        201
    );
    for signature in ["staged", "predict"] {
        let address = format!("/gateway/applications/staged/{signature}");
        assert_eq!(fixture.send(post(&address, images(1, "0"))).await.status(), 200);
    }
}

#[tokio::test]
async fn a_damaged_store_is_an_internal_error_without_its_details() {
    let fixture = Fixture::deployed().await;
    std::fs::write(fixture.folder.path().join("models/mnist/versions/00000003.json"), "{}").unwrap();
    fixture
        .check(
            get("/api/models/mnist/versions"),
            expect![[r#"
        500 Internal Server Error
        {"error":"Internal","information":{"message":"internal error"}}
    "#]],
        )
        .await;
    assert_eq!(fixture.send(get("/api/models/mnist/versions/1")).await.status(), 200);
    assert_eq!(fixture.send(get("/api/models")).await.status(), 200);
}

#[tokio::test]
async fn the_server_says_who_it_is() {
    let fixture = Fixture::empty().await;
    let answer = text(fixture.send(get("/api/server")).await).await;
    let pid = format!("\"pid\":{}", std::process::id());
    expect![[r#"
        200 OK
        {"program":"slipway-server","version":"0.1.0","pid":1,"started_at_ms":0}
    "#]]
    .assert_eq(&answer.replace(&pid, "\"pid\":1"));
}
