//! What manifests may name and is not carried out: runtimes, environments, aggregations. And addresses with too many slashes.

use axum::{
    body::Body,
    http::{Request, header},
};
use expect_test::expect;
use serde_json::json;

use server::{Access, AccessSettings};

use super::{refusal, runtime, send, succeed};
use crate::support::{Fixture, get, post};

#[tokio::test]
async fn the_runtimes_of_the_original_are_listed_from_the_start() {
    let fixture = Fixture::empty().await;
    let runtimes = succeed(&fixture, get("/api/v1/runtime")).await;
    let names: String = runtimes
        .as_array()
        .unwrap()
        .iter()
        .map(|runtime| {
            format!(
                "{}:{}\n",
                runtime["name"].as_str().unwrap(),
                runtime["version"].as_str().unwrap()
            )
        })
        .collect();
    expect![[r#"
        hydrosphere/serving-runtime-dummy:latest
        hydrosphere/serving-runtime-spark:2.0-latest
        hydrosphere/serving-runtime-spark:2.1-latest
        hydrosphere/serving-runtime-spark:2.2-latest
        hydrosphere/serving-runtime-tensorflow:1.7.0-latest
        hydrosphere/serving-runtime-python:3.6-latest
    "#]]
    .assert_eq(&names);
}

#[tokio::test]
async fn a_runtime_is_listed_once_and_its_start_has_ended() {
    let fixture = Fixture::empty().await;
    let body =
        r#"{"name": "mine", "version": "1", "modelTypes": ["python:3.6"], "tags": [], "configParams": {"a": "b"}}"#;
    let (status, created) = send(&fixture, post("/api/v1/runtime", body)).await;
    assert_eq!(status, 201);
    let (status, again) = send(&fixture, post("/api/v1/runtime", body)).await;
    assert_eq!((status.as_u16(), &again), (200, &created));
    let status = succeed(&fixture, get(&format!("/api/v1/runtime/status/{}", created["id"]))).await;
    assert_eq!(status["status"], "Finished");
    let restarted = Fixture::reopened(fixture.folder).await;
    let runtimes = succeed(&restarted, get("/api/v1/runtime")).await;
    assert_eq!(runtimes.as_array().unwrap().last(), Some(&created));
    expect!["404: no runtime has the id 7"].assert_eq(&refusal(&restarted, get("/api/v1/runtime/status/7")).await);
}

#[tokio::test]
async fn an_environment_is_listed_beside_the_one_that_means_none() {
    let fixture = Fixture::empty().await;
    let body = r#"{"name": "gpu", "placeholders": [{"key": "disk"}]}"#;
    let (status, created) = send(&fixture, post("/api/v1/environment", body)).await;
    assert_eq!(status, 201);
    assert_eq!(send(&fixture, post("/api/v1/environment", body)).await.0, 200);
    assert_eq!(
        succeed(&fixture, get("/api/v1/environment")).await,
        json!([{"id": 0, "name": "Without Env", "placeholders": []}, created])
    );
}

#[tokio::test]
async fn aggregations_are_kept_listed_and_removed() {
    let fixture = Fixture::empty().await;
    assert_eq!(succeed(&fixture, get("/monitoring/aggregations")).await, json!([]));
    let body = json!({"filter": {"stageId": "app41stage1", "sourceName": "feature"}, "name": "gan"});
    let (status, added) = send(&fixture, post("/monitoring/aggregations", body.to_string())).await;
    assert_eq!(status, 201);
    assert!(
        added["notices"][0].as_str().unwrap().contains("computes nothing"),
        "{added}"
    );
    let second = succeed(&fixture, post("/monitoring/aggregations", r#"{"name": "ks"}"#)).await;

    let restarted = Fixture::reopened(fixture.folder).await;
    let mut kept = body.clone();
    kept["id"] = added["id"].clone();
    let listed = succeed(&restarted, get("/monitoring/aggregations")).await;
    assert_eq!(listed, json!([kept, {"name": "ks", "id": second["id"]}]));
    let remove = |id: &serde_json::Value| {
        let path = format!("/monitoring/aggregations/{id}");
        Request::delete(path).body(Body::empty()).unwrap()
    };
    assert_eq!(succeed(&restarted, remove(&added["id"])).await, kept);
    expect!["404: no aggregation has the id 1"].assert_eq(&refusal(&restarted, remove(&added["id"])).await);
    let listed = succeed(&restarted, get("/monitoring/aggregations")).await;
    assert_eq!(listed, json!([{"name": "ks", "id": second["id"]}]));
}

#[tokio::test]
async fn slashes_that_a_client_adds_change_nothing() {
    let fixture = Fixture::deployed().await;
    assert_eq!(
        succeed(&fixture, get("//api/v1/runtime")).await,
        succeed(&fixture, get("/api/v1/runtime")).await
    );
    let predict = crate::support::PREDICT.replacen('/', "//", 1);
    let answer = succeed(&fixture, post(&predict, crate::support::images(1, "0"))).await;
    assert_eq!(answer["class_ids"], json!([[3]]));
    // What is closed to strangers is so under every spelling.
    let access = Access::new(&AccessSettings::default(), "0.0.0.0:80".parse().unwrap()).unwrap();
    let closed = fixture.with_access(access);
    for path in [
        "/api/v1/runtime",
        "//api/v1/runtime",
        "/api//v1/model/version",
        "//monitoring//aggregations",
        "///api/models",
    ] {
        assert_eq!(send(&closed, get(path)).await.0, 403, "{path}");
    }
}

#[tokio::test]
async fn what_hs_manages_takes_a_token_and_predictions_by_id_take_a_key() {
    let fixture = Fixture::deployed().await;
    let applications = succeed(&fixture, get("/api/v1/applications")).await;
    let serve = format!("/api/v1/applications/serve/{}/predict", applications[0]["id"]);
    let (token, key) = ("a-token-of-sixteen", "a-key-of-sixteen-c");
    let write = |name: &str, secret: &str| {
        let path = fixture.folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        Some(path)
    };
    let settings = AccessSettings {
        management_token_file: write("tokens", token),
        api_keys_file: write("keys", key),
        hide_model_version: false,
    };
    let access = Access::new(&settings, "127.0.0.1:80".parse().unwrap()).unwrap();
    let guarded = fixture.with_access(access);
    let status = async |mut request: Request<Body>, secret: Option<&str>| {
        if let Some(secret) = secret {
            let value = format!("Bearer {secret}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        send(&guarded, request).await.0.as_u16()
    };
    for path in [
        "/api/v1/model/version",
        "/api/v1/applications",
        "/monitoring/aggregations",
    ] {
        assert_eq!(status(get(path), None).await, 401, "{path}");
        assert_eq!(status(get(path), Some(key)).await, 401, "{path}");
        assert_eq!(status(get(path), Some(token)).await, 200, "{path}");
    }
    let image = || post(&serve, crate::support::images(1, "0"));
    assert_eq!(status(image(), Some(token)).await, 401);
    assert_eq!(status(image(), Some(key)).await, 200);
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_form_of_the_original() {
    let fixture = Fixture::empty().await;
    assert!(runtime(&fixture).await > 0);
    for path in ["/api/v1/nothing", "/monitoring/nothing", "/profiler/nothing"] {
        let answer = refusal(&fixture, get(path)).await;
        assert_eq!(answer, format!("404: there is nothing at `{path}`"));
    }
    let answer = refusal(&fixture, get("/api/v1/model/upload")).await;
    assert_eq!(answer, "405: `/api/v1/model/upload` does not understand GET");
}
