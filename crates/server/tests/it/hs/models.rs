//! Uploads, and what is listed of them.

use std::fs;

use axum::{body::Body, http::Request};
use expect_test::expect;

use super::{json, packed, refusal, send, succeed, upload, upload_of};
use crate::support::{Fixture, artifact, get, images, limits, post};

#[tokio::test]
async fn an_upload_is_the_next_version_and_its_build_has_ended() {
    let fixture = Fixture::empty().await;
    let (status, first) = send(&fixture, upload_of("mnist", 3)).await;
    assert_eq!(status, 201);
    assert_eq!(first["status"], "Finished");
    assert_eq!(first["version"], 1);
    assert_eq!(first["model"]["name"], "mnist");
    let build = format!("/api/v1/model/build/{}", first["id"]);
    assert_eq!(succeed(&fixture, get(&build)).await, first);

    // The same files again are a version again.
    let second = succeed(&fixture, upload_of("mnist", 3)).await;
    let other = succeed(&fixture, upload_of("other", 4)).await;
    assert_eq!(second["version"], 2);
    assert_eq!(other["version"], 1);
    assert_eq!(second["model"]["id"], first["model"]["id"]);
    let versions = succeed(&fixture, get("/api/v1/model/version")).await;
    let listed: Vec<_> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|version| {
            (
                version["modelName"].clone(),
                version["modelVersion"].clone(),
                version["id"].clone(),
            )
        })
        .collect();
    let row = |build: &serde_json::Value| {
        (
            build["model"]["name"].clone(),
            build["version"].clone(),
            build["id"].clone(),
        )
    };
    assert_eq!(listed, [&first, &second, &other].map(row));
    assert!(listed.iter().all(|(_, version, id)| version.is_u64() && id.is_u64()));
    let models = succeed(&fixture, get("/api/v1/model")).await;
    assert_eq!(models[0]["id"], first["model"]["id"]);
    assert_eq!(models.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_build_without_an_upload_is_that_of_the_newest_version() {
    let fixture = Fixture::empty().await;
    let first = succeed(&fixture, upload_of("mnist", 3)).await;
    let second = succeed(&fixture, upload_of("mnist", 4)).await;
    succeed(&fixture, upload_of("other", 5)).await;
    let build = |id: &serde_json::Value| post("/api/v1/model/build", format!(r#"{{"modelId": {id}}}"#));
    assert_eq!(succeed(&fixture, build(&first["model"]["id"])).await, second);
    expect!["404: no model has the id 7"].assert_eq(&refusal(&fixture, build(&7.into())).await);
    assert_eq!(
        succeed(&fixture, get("/api/v1/modelSource")).await,
        serde_json::json!([])
    );
}

#[tokio::test]
async fn a_data_profile_is_refused_because_none_is_computed() {
    let fixture = Fixture::empty().await;
    let id = succeed(&fixture, upload_of("mnist", 3)).await["id"].clone();
    let push = |id: &serde_json::Value| post(&format!("/profiler/batch/{id}/csv"), "0,1\n");
    for request in [push(&id), get("/profiler/batch/7/status")] {
        let (status, answer) = send(&fixture, request).await;
        assert_eq!(status, 501);
        assert_eq!(answer["error"], "Internal");
        let message = answer["information"]["message"].as_str().unwrap();
        assert!(message.starts_with("data profiles are not computed here"), "{message}");
    }
    expect!["404: no model version has the id 7"].assert_eq(&refusal(&fixture, push(&7.into())).await);
}

#[tokio::test]
async fn ids_and_what_was_told_are_the_same_after_a_restart() {
    let fixture = Fixture::empty().await;
    succeed(&fixture, upload_of("mnist", 3)).await;
    let payload = packed(&[("mnist.safetensors", &artifact(4))]);
    let parts: [(&str, &[u8]); 4] = [
        ("model_description", "Ziffern, größer".as_bytes()),
        ("model_type", b"python:3.6"),
        ("model_name", b"mnist"),
        ("payload", &payload),
    ];
    let build = succeed(&fixture, upload(&parts)).await;
    assert_eq!(build["model"]["description"], "Ziffern, größer");
    assert_eq!(build["modelVersion"]["modelType"], "python:3.6");
    let listed = succeed(&fixture, get("/api/v1/model/version")).await;
    let restarted = Fixture::reopened(fixture.folder).await;
    assert_eq!(succeed(&restarted, get("/api/v1/model/version")).await, listed);
}

#[tokio::test]
async fn a_version_that_came_by_the_management_api_is_listed_with_a_contract_that_follows_from_it() {
    let fixture = Fixture::deployed().await;
    let versions = succeed(&fixture, get("/api/v1/model/version")).await;
    assert_eq!(versions[0]["modelType"], "slipway");
    assert_eq!(versions[0]["applications"][0]["name"], "mnist-app");
    assert_eq!(versions[1]["applications"], serde_json::json!([]));
    let contract = versions[0]["modelContract"].as_str().unwrap();
    assert!(
        contract.starts_with("model_name: \"mnist\"\nsignatures {\n  signature_name: \"predict\"\n"),
        "{contract}"
    );
    let flat = format!("/api/v1/model/version/{}/flatContract", versions[0]["id"]);
    let flat = succeed(&fixture, get(&flat)).await;
    expect![[r#"{"signatures":[{"inputs":[{"dataType":"DT_FLOAT","fieldName":"/imgs","shape":[-1,28,28]}],"outputs":[{"dataType":"DT_INT64","fieldName":"/class_ids","shape":[-1,1]},{"dataType":"DT_STRING","fieldName":"/classes","shape":[-1,1]},{"dataType":"DT_FLOAT","fieldName":"/logits","shape":[-1,10]},{"dataType":"DT_FLOAT","fieldName":"/probabilities","shape":[-1,10]}],"signatureName":"predict"}]}"#]].assert_eq(&flat.to_string());
}

/// The contract of the test vector: `imgs` [-1, 28, 28] in, `class_ids` [-1, 1] out, with dimensions of -1.
const CONTRACT: &[u8] = b"\x12\x4c\x0a\x07predict\x12\x1f\x0a\x04imgs\x12\x15\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x02\x08\x1c\x12\x02\x08\x1c\x20\x01\x1a\x20\x0a\x09class_ids\x12\x11\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x12\x02\x08\x01\x20\x09";

#[tokio::test]
async fn a_contract_is_kept_byte_for_byte_and_the_model_answers_by_it() {
    let fixture = Fixture::empty().await;
    let payload = packed(&[("mnist.safetensors", &artifact(3))]);
    let parts: [(&str, &[u8]); 3] = [
        ("model_contract", CONTRACT),
        ("model_name", b"mnist"),
        ("payload", &payload),
    ];
    let build = succeed(&fixture, upload(&parts)).await;
    let contract = build["model"]["modelContract"].as_str().unwrap();
    assert!(
        contract.contains("size: -1") && contract.contains("name: \"class_ids\""),
        "{contract}"
    );
    assert!(!contract.contains("logits"), "{contract}");
    let entry = fs::read_to_string(fixture.folder.path().join("journal/00000001.json")).unwrap();
    // The bytes in Base64, as another program encodes them.
    assert!(
        entry.contains("\"EkwKB3ByZWRpY3QSHwoEaW1ncxIVEgsI////////////ARICCBwSAggcIAEaIAoJY2xhc3NfaWRzEhESCwj///////////8BEgIIASAJ\""),
        "{entry}"
    );
    assert_eq!(fixture.deploy("mnist:1").await.status(), 201);
    let answer = fixture.send(post(crate::support::PREDICT, images(2, "0"))).await;
    assert_eq!(json(answer).await.1, serde_json::json!({"class_ids": [[3], [3]]}));
}

async fn check(request: Request<Body>, expected: expect_test::Expect) {
    let fixture = Fixture::empty().await;
    expected.assert_eq(&refusal(&fixture, request).await);
    let versions = succeed(&fixture, get("/api/v1/model/version")).await;
    assert_eq!(versions, serde_json::json!([]), "something was left");
}

#[tokio::test]
async fn an_upload_that_is_none_is_refused_with_the_reason_and_leaves_nothing() {
    let name = ("model_name", &b"mnist"[..]);
    check(upload(&[name]), expect!["400: the part `payload` is missing"]).await;
    check(
        upload(&[name, ("payload", b"no archive")]),
        expect!["400: the part `payload` cannot be used: it is not a whole tar archive in gzip: invalid gzip header"],
    )
    .await;
    let payload = packed(&[("README", b"hello"), ("deep/model.safetensors", b"x")]);
    check(
        upload(&[name, ("payload", &payload)]),
        expect!["400: the uploaded model cannot be taken in: expected `saved_model.pb` or one file `*.safetensors` at the root, found `README`, `deep/model.safetensors`"],
    )
    .await;
    let payload = packed(&[("saved_model.pb", b"\x0a")]);
    check(
        upload(&[name, ("payload", &payload)]),
        expect!["400: the uploaded model cannot be taken in: the SavedModel cannot be taken in: `saved_model.pb` is damaged: failed to decode Protobuf message: SavedModel.saved_model_schema_version: invalid wire type: LengthDelimited (expected Varint)"],
    )
    .await;
    let payload = packed(&[("mnist.safetensors", &artifact(3))]);
    check(
        upload(&[name, ("payload", &payload), ("model_contract", b"\xff")]),
        expect!["400: the uploaded model cannot be taken in: the contract is no message `ModelContract`: failed to decode Protobuf message: invalid varint"],
    )
    .await;
    check(
        post("/api/v1/model/upload", "{}"),
        expect!["415: the body must be announced as `multipart/form-data` with a boundary"],
    )
    .await;
}

#[tokio::test]
async fn an_upload_is_bounded_as_it_comes_and_as_it_unpacks() {
    let name = ("model_name", &b"mnist"[..]);
    let max_bytes = limits().artifact_max_bytes;
    check(
        upload(&[name, ("payload", &vec![0; max_bytes])]),
        expect!["413: the body is too long"],
    )
    .await;
    let bomb = packed(&[("zeros", &vec![0; 2 * max_bytes])]);
    check(
        upload(&[name, ("payload", &bomb)]),
        expect!["413: the part `payload` cannot be used: it unpacks to more than 1048576 bytes"],
    )
    .await;
}

#[tokio::test]
async fn an_id_that_nothing_has_is_told_so() {
    let fixture = Fixture::deployed().await;
    expect!["404: no model version has the id 7"].assert_eq(&refusal(&fixture, get("/api/v1/model/build/7")).await);
    let answer = refusal(&fixture, get("/api/v1/model/build/latest")).await;
    assert!(answer.starts_with("400: wrong name in the path"), "{answer}");
}
