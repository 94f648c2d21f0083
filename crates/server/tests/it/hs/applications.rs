//! Applications by ids of versions, in both forms of the original.

use axum::http::StatusCode;
use expect_test::{Expect, expect};
use formats::{
    api::MODEL_VERSION,
    signature::{Dimension, Quantity, Signature},
};
use serde_json::{Value, json};

use super::{create, described, packed, refusal, runtime, send, succeed, update, upload, upload_of};
use crate::support::{Fixture, artifact_called, get, images, post};

/// A server with `mnist:1`, which always answers 3, and `mnist:2`, which always answers 4.
struct Subject {
    fixture: Fixture,
    runtime: u64,
    versions: [u64; 2],
}

impl Subject {
    async fn new() -> Self {
        let fixture = Fixture::empty().await;
        let mut versions = [0; 2];
        for (version, class) in versions.iter_mut().zip([3, 4]) {
            let build = succeed(&fixture, upload_of("mnist", class)).await;
            *version = build["id"].as_u64().unwrap();
        }
        Self {
            runtime: runtime(&fixture).await,
            fixture,
            versions,
        }
    }

    /// An application with one service on the first version, named as the tutorial names its signature.
    fn singular(&self, version: usize) -> Value {
        let services: &[_] = &[(self.versions[version], 100, "signature-to-be-ignored")];
        described(self.runtime, "mnist-app", &[services])
    }

    async fn class(&self, path: &str) -> Value {
        let answer = succeed(
            &self.fixture,
            post(&format!("/gateway/applications/{path}"), images(1, "2")),
        )
        .await;
        answer["class_ids"][0][0].clone()
    }
}

#[tokio::test]
async fn an_application_is_made_once_and_then_changed() {
    let subject = Subject::new().await;
    let fixture = &subject.fixture;
    assert_eq!(succeed(fixture, get("/api/v1/applications")).await, json!([]));
    let (status, made) = send(fixture, create(&subject.singular(0))).await;
    assert_eq!(status, 201);
    assert!(made["id"].is_u64());
    assert_eq!(made["kafkaStreaming"], json!([]));
    assert_eq!(made.get("notices"), None);
    let service = &made["executionGraph"]["stages"][0]["services"][0];
    assert_eq!(service["weight"], 100);
    assert_eq!(service["modelVersion"]["modelVersion"], 1);
    // The model's own signature answers, whatever the manifest called it.
    assert_eq!(subject.class("mnist-app/predict").await, 3);

    expect!["409: an application `mnist-app` exists: it is changed by PUT, with its id"]
        .assert_eq(&refusal(fixture, create(&subject.singular(1))).await);
    let changed = succeed(fixture, update(&subject.singular(1), &made["id"])).await;
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(subject.class("mnist-app/predict").await, 4);
    let listed = succeed(fixture, get("/api/v1/applications")).await;
    assert_eq!(listed, json!([changed]));
    let by_id = format!("/api/v1/applications/serve/{}/predict", made["id"]);
    assert_eq!(
        succeed(fixture, post(&by_id, images(1, "0"))).await["class_ids"],
        json!([[4]])
    );

    let restarted = Fixture::reopened(subject.fixture.folder).await;
    assert_eq!(succeed(&restarted, get("/api/v1/applications")).await, listed);
}

#[tokio::test]
async fn services_share_the_traffic_under_the_name_of_the_application() {
    let subject = Subject::new().await;
    let [first, second] = subject.versions;
    let body = described(
        subject.runtime,
        "split",
        &[&[(first, 0, "predict"), (second, 100, "predict")]],
    );
    let made = succeed(&subject.fixture, create(&body)).await;
    assert_eq!(subject.class("split/split").await, 4);
    assert_eq!(made["executionGraph"]["stages"][0]["signature"], "predict");
    let contract = made["contract"].as_str().unwrap();
    assert!(contract.contains("signature_name: \"split\""), "{contract}");
}

/// Uploads a model of four pixels whose layer has these weights, and returns the id of its version.
async fn upload_small(fixture: &Fixture, name: &str, signature: Signature, weights: Vec<f32>) -> u64 {
    let bias = vec![0.0; weights.len() / 4];
    let payload = packed(&[("model.safetensors", &artifact_called(signature, weights, bias))]);
    let parts: [(&str, &[u8]); 2] = [("model_name", name.as_bytes()), ("payload", &payload)];
    succeed(fixture, upload(&parts)).await["id"].as_u64().unwrap()
}

#[tokio::test]
async fn what_one_stage_gives_the_next_one_takes() {
    let fixture = Fixture::empty().await;
    let classifier = Signature::classifier("predict".parse().unwrap(), 2, 2, 4);
    let mut filter = classifier.clone();
    filter.outputs.retain(|output| output.name == "logits");
    filter.outputs[0].name = "imgs".to_owned();
    filter.outputs[0].quantity = Some(Quantity::Logits);
    assert_eq!(filter.outputs[0].shape, [Dimension::Any, Dimension::Fixed(4)]);
    // The first stage swaps the first and the last pixel, the second gives the place of the brightest one.
    let swapped = [0., 0., 0., 1., 0., 1., 0., 0., 0., 0., 1., 0., 1., 0., 0., 0.];
    let unchanged = [1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1.];
    let filter = upload_small(&fixture, "filter", filter, swapped.to_vec()).await;
    let tell = upload_small(&fixture, "tell", classifier, unchanged.to_vec()).await;
    let runtime = runtime(&fixture).await;
    let stages: [&[(u64, u32, &str)]; 2] = [&[(filter, 100, "predict")], &[(tell, 100, "predict")]];
    let made = succeed(&fixture, create(&described(runtime, "row", &stages))).await;
    let contract = made["contract"].as_str().unwrap();
    assert!(
        contract.contains("signature_name: \"row\"") && contract.contains("name: \"class_ids\""),
        "{contract}"
    );

    let asked = post(
        "/gateway/applications/row/row",
        r#"{"imgs": [[[9, 1], [2, 3]], [[1, 9], [2, 3]]]}"#,
    );
    let answer = fixture.send(asked).await;
    assert_eq!(answer.headers()[MODEL_VERSION], "filter:1, tell:1");
    assert_eq!(super::json(answer).await.1["class_ids"], json!([[3], [1]]));
    expect!["404: application `row` has no signature `predict`; it has: `row`"]
        .assert_eq(&refusal(&fixture, post("/gateway/applications/row/predict", "{}")).await);

    let stages: [&[(u64, u32, &str)]; 2] = [stages[1], stages[0]];
    expect!["400 at executionGraph.stages[1]: wrong application `back`: it takes `imgs`, the stage before gives `class_ids`, `classes`, `logits`, `probabilities`"]
        .assert_eq(&refusal(&fixture, create(&described(runtime, "back", &stages))).await);
}

#[tokio::test]
async fn what_is_not_carried_out_is_said() {
    let subject = Subject::new().await;
    let environment = succeed(&subject.fixture, post("/api/v1/environment", r#"{"name": "gpu"}"#)).await;
    let mut body = subject.singular(0);
    body["kafkaStreaming"] = json!([{"sourceTopic": "in", "destinationTopic": "out"}]);
    body["namespace"] = "production".into();
    body["executionGraph"]["stages"][0]["services"][0]["environmentId"] = environment["id"].clone();
    let made = succeed(&subject.fixture, create(&body)).await;
    let notices: Vec<&str> = made["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| notice.as_str().unwrap())
        .collect();
    expect![[r#"
        `stages[0].services[0].environmentId` is not carried out
        `kafkaStreaming` is not carried out: this server answers requests and reads no topics
        `namespace` is not carried out"#]]
    .assert_eq(&notices.join("\n"));
    assert_eq!(made["kafkaStreaming"], json!([]));
}

async fn check(change: impl FnOnce(&mut Value), expected: Expect) {
    let subject = Subject::new().await;
    let [first, second] = subject.versions;
    let services: &[_] = &[(first, 40, "predict"), (second, 60, "predict")];
    let mut body = described(subject.runtime, "split", &[services]);
    change(&mut body);
    expected.assert_eq(&refusal(&subject.fixture, create(&body)).await);
    assert_eq!(succeed(&subject.fixture, get("/api/v1/applications")).await, json!([]));
}

#[tokio::test]
async fn an_application_that_cannot_be_carried_out_is_refused_with_the_place() {
    check(
        |body| body["executionGraph"]["stages"][0]["services"][1]["modelVersionId"] = 7.into(),
        expect!["400 at executionGraph.stages[0].services[1].modelVersionId: wrong application `split`: nothing has the id 7"],
    )
    .await;
    check(
        |body| body["executionGraph"]["stages"][0]["services"][0]["runtimeId"] = 8.into(),
        expect![
            "400 at executionGraph.stages[0].services[0].runtimeId: wrong application `split`: nothing has the id 8"
        ],
    )
    .await;
    check(
        |body| body["executionGraph"]["stages"][0]["services"][0]["environmentId"] = 9.into(),
        expect![
            "400 at executionGraph.stages[0].services[0].environmentId: wrong application `split`: nothing has the id 9"
        ],
    )
    .await;
    check(
        |body| body["executionGraph"]["stages"][0]["services"][0]["weight"] = 41.into(),
        expect![
            "400 at executionGraph.stages[0].services: wrong application `split`: weights add up to 101, expected 100"
        ],
    )
    .await;
    check(
        |body| body["executionGraph"]["stages"][0]["services"][0]["signatureName"] = "claims".into(),
        expect!["400 at executionGraph.stages[0].services[1].signatureName: wrong application `split`: `predict`, but another service of the stage has `claims`"],
    )
    .await;
    check(
        |body| {
            for service in 0..2 {
                body["executionGraph"]["stages"][0]["services"][service]["signatureName"] = "claims".into();
            }
        },
        expect!["400 at executionGraph.stages[0].signature: wrong application `split`: the models have no signature `claims`, they have `predict`"],
    )
    .await;
}

/// A client that found no such application would make it anew, over what it was.
#[tokio::test]
async fn an_application_that_cannot_be_served_is_listed_with_its_id_and_says_so() {
    let subject = Subject::new().await;
    let made = succeed(&subject.fixture, create(&subject.singular(0))).await;
    let artifacts = subject.fixture.folder.path().join("models/mnist/artifacts");
    for artifact in std::fs::read_dir(artifacts).unwrap() {
        std::fs::write(artifact.unwrap().path(), b"damaged").unwrap();
    }
    let restarted = Fixture::reopened(subject.fixture.folder).await;
    let listed = succeed(&restarted, get("/api/v1/applications")).await;
    assert_eq!((&listed[0]["id"], &listed[0]["name"]), (&made["id"], &made["name"]));
    assert_eq!(listed[0]["executionGraph"]["stages"], json!([]));
    let notice = listed[0]["notices"][0].as_str().unwrap();
    assert!(notice.contains("cannot be served"), "{notice}");
}

#[tokio::test]
async fn a_change_of_what_is_not_there_is_refused() {
    let subject = Subject::new().await;
    let body = subject.singular(0);
    let fixture = &subject.fixture;
    expect!["404: no application has the id 7"].assert_eq(&refusal(fixture, update(&body, &7.into())).await);
    expect!["400: `id` is missing: it says which application is changed"]
        .assert_eq(&refusal(fixture, update(&body, &Value::Null)).await);
    let made = succeed(fixture, create(&body)).await;
    let mut renamed = body.clone();
    renamed["name"] = "other".into();
    let answer = refusal(fixture, update(&renamed, &made["id"])).await;
    assert!(
        answer.contains("belongs to `mnist-app`, and applications are not renamed"),
        "{answer}"
    );
    let (status, _) = send(fixture, post("/api/v1/applications", "{")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
