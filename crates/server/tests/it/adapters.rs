//! The older ways to ask: `/v1/models/…`, and `/invocations` with `/ping`.

use axum::http::Request;
use expect_test::expect;

use server::App;

use crate::support::{Fixture, get, images, limits, post, put, service, spec, text};

const PREDICT_V1: &str = "/v1/models/mnist-app:predict";

/// A body of which `imgs` are the instances.
fn instances(n_images: usize) -> String {
    images(n_images, "0").replace("imgs", "instances")
}

#[tokio::test]
async fn instances_become_predictions() {
    let fixture = Fixture::deployed().await;
    let response = fixture.send(post(PREDICT_V1, instances(2))).await;
    assert_eq!(response.headers()["x-model-version"], "mnist:1");
    let answer = text(response).await;
    let same = text(fixture.send(post("/invocations", instances(2))).await).await;
    assert_eq!(same, answer);
    expect![[r#"
        200 OK
        {"predictions":[{"class_ids":[3],"classes":["3"],"logits":[0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0],"probabilities":[0.085336745,0.085336745,0.085336745,0.23196931,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745]},{"class_ids":[3],"classes":["3"],"logits":[0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0],"probabilities":[0.085336745,0.085336745,0.085336745,0.23196931,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745]}]}
    "#]].assert_eq(&answer);
}

#[tokio::test]
async fn inputs_in_columns_are_answered_with_outputs_in_columns() {
    let fixture = Fixture::deployed().await;
    let inputs = images(2, "0").replace("imgs", "inputs");
    let answer = text(fixture.send(post(PREDICT_V1, inputs)).await).await;
    let by_name = format!(r#"{{"inputs": {}}}"#, images(2, "0"));
    assert_eq!(text(fixture.send(post(PREDICT_V1, by_name)).await).await, answer);
    // In columns stands what the original's gateway answers.
    let path = "/gateway/applications/mnist-app/predict";
    let original = text(fixture.send(post(path, images(2, "0"))).await).await;
    let (status, body) = original.trim_end().split_once('\n').unwrap();
    assert_eq!(answer, format!("{status}\n{{\"outputs\":{body}}}\n"));
}

#[tokio::test]
async fn the_applications_tell_that_they_answer() {
    let fixture = Fixture::deployed().await;
    let expected = expect![[r#"
        200 OK
        {"models":["mnist-app"]}
    "#]];
    fixture.check(get("/v1/models"), expected).await;
    let expected = expect![[r#"
        200 OK
        {"name":"mnist-app","ready":true,"model_version_status":[{"version":"1","state":"AVAILABLE"}]}
    "#]];
    fixture.check(get("/v1/models/mnist-app"), expected).await;
    assert_eq!(fixture.send(get("/ping")).await.status(), 200);
}

#[tokio::test]
async fn what_is_wrong_is_told_in_one_sentence() {
    let fixture = Fixture::deployed().await;
    let ragged = instances(1).replacen("[0,", "[", 1);
    let requests = [
        ("no instances", post(PREDICT_V1, "{}")),
        ("a ragged row", post(PREDICT_V1, ragged)),
        ("too many", post(PREDICT_V1, instances(21))),
        ("no such application", post("/v1/models/nope:predict", instances(1))),
        ("no such verb", post("/v1/models/mnist-app:classify", instances(1))),
        ("wrong method", get(PREDICT_V1)),
        ("no status", get("/v1/models/nope")),
        ("no JSON", post("/invocations", "imgs")),
    ];
    let mut lines = String::new();
    for (name, request) in requests {
        let answer = text(fixture.send(request).await).await;
        lines += &format!("{name}: {}\n", answer.trim_end().replacen('\n', " ", 1));
    }
    expect![[r#"
        no instances: 400 Bad Request {"error":"body: expected `instances` or `inputs`, found no such key"}
        a ragged row: 400 Bad Request {"error":"instances[0][0]: expected 28 numbers, found 27"}
        too many: 413 Payload Too Large {"error":"instances: expected at most 20 images, found more"}
        no such application: 404 Not Found {"error":"no application `nope` is deployed; deployed: `mnist-app`"}
        no such verb: 404 Not Found {"error":"there is nothing at `/v1/models/mnist-app/classify`"}
        wrong method: 405 Method Not Allowed {"error":"`/v1/models/mnist-app/predict` does not understand GET"}
        no status: 404 Not Found {"error":"no application `nope` is deployed; deployed: `mnist-app`"}
        no JSON: 400 Bad Request {"error":"body: expected an object, found `imgs`"}
    "#]]
    .assert_eq(&lines);
}

#[tokio::test]
async fn an_invocation_goes_to_the_application_that_is_named_or_told_or_the_only_one() {
    let fixture = Fixture::deployed().await;
    let other = put("/api/applications/other", spec("other", "mnist:2"));
    assert_eq!(fixture.send(other).await.status(), 201);
    fixture
        .check(
            post("/invocations", instances(1)),
            expect![[r#"
        409 Conflict
        {"error":"nothing says which application is meant, and 2 are deployed"}
    "#]],
        )
        .await;
    let named = |name: &str| {
        Request::post("/invocations")
            .header("x-amzn-sagemaker-target-model", name)
            .body(instances(1).into())
            .unwrap()
    };
    for (name, version) in [("mnist-app", "mnist:1"), ("other", "mnist:2")] {
        assert_eq!(fixture.send(named(name)).await.headers()["x-model-version"], version);
    }
    fixture.check(named("a b"), expect![[r#"
        400 Bad Request
        {"error":"wrong name at `x-amzn-sagemaker-target-model`: ` ` at position 2 of the name `a b`, expected an ASCII letter, digit, `-`, `_` or `.`"}
    "#]]).await;
    let app = App::new(fixture.applications.clone(), limits()).with_invocations(Some("other".parse().unwrap()));
    let told = Fixture {
        router: service(app),
        ..fixture
    };
    let response = told.send(post("/invocations", instances(1))).await;
    assert_eq!(response.headers()["x-model-version"], "mnist:2");
    assert_eq!(
        told.send(named("mnist-app")).await.headers()["x-model-version"],
        "mnist:1"
    );
}
