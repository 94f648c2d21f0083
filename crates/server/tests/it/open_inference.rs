//! The Open Inference Protocol V2 over HTTP, field by field.

use axum::{
    body::Body,
    http::{Request, Response, header},
};
use expect_test::expect;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use server::{Access, AccessSettings, App};

use crate::support::{Fixture, PREDICT, get, images, limits, post, service, text};

mod wrong;

pub(crate) const INFER: &str = "/v2/models/mnist-app/infer";
const JSON_LENGTH: &str = "inference-header-content-length";

/// A request with one image, all its pixels the same; `rest` stands behind its inputs.
pub(crate) fn one_image(rest: &str) -> String {
    let data = vec!["0.25"; 784].join(",");
    format!(r#"{{"inputs":[{{"name":"imgs","datatype":"FP32","shape":[1,784],"data":[{data}]}}]{rest}}}"#)
}

/// A request with its elements behind the JSON.
pub(crate) fn binary(input: &str, elements: &[u8], rest: &str) -> Request<Body> {
    let size = elements.len();
    let json = format!(r#"{{"inputs":[{{"name":"imgs",{input},"parameters":{{"binary_data_size":{size}}}}}]{rest}}}"#);
    Request::post(INFER)
        .header(JSON_LENGTH, json.len())
        .body([json.as_bytes(), elements].concat().into())
        .unwrap()
}

async fn parts(response: Response<Body>) -> (Value, Vec<u8>) {
    assert_eq!(response.status(), 200);
    let n_json_bytes = response
        .headers()
        .get(JSON_LENGTH)
        .map(|value| value.to_str().unwrap().parse().unwrap());
    let media_type = response.headers()[header::CONTENT_TYPE].clone();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(
        media_type,
        if n_json_bytes.is_some() {
            "application/octet-stream"
        } else {
            "application/json"
        }
    );
    let (json, binary) = body.split_at(n_json_bytes.unwrap_or(body.len()));
    (serde_json::from_slice(json).unwrap(), binary.to_vec())
}

#[tokio::test]
async fn the_server_tells_what_it_is() {
    let fixture = Fixture::deployed().await;
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({
        "name": "slipway-server", "version": version,
        "extensions": ["binary_tensor_data", "model_repository", "statistics"],
    });
    assert_eq!(parts(fixture.send(get("/v2")).await).await.0, expected);
    for path in ["/v2/health/live", "/v2/health/ready"] {
        assert_eq!(
            parts(fixture.send(get(path)).await).await.0,
            json!({"live": true, "ready": true})
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_ready_lives() {
    let fixture = Fixture::empty().await;
    let registry = inference::Registry::open(fixture.folder.path().to_str().unwrap()).unwrap();
    let router = service(App::new(inference::Applications::new(registry).into(), limits()));
    let fixture = Fixture { router, ..fixture };
    let expected = expect![[r#"
        503 Service Unavailable
        {"live":true,"ready":false}
    "#]];
    fixture.check(get("/v2/health/ready"), expected).await;
    assert_eq!(fixture.send(get("/v2/health/live")).await.status(), 200);
    let expected = expect![[r#"
        503 Service Unavailable
        {"error":"the applications are being loaded"}
    "#]];
    fixture.check(post(INFER, one_image("")), expected).await;
}

#[tokio::test]
async fn a_model_tells_how_it_is_called() {
    let fixture = Fixture::deployed().await;
    let (application, _) = parts(fixture.send(get("/v2/models/mnist-app")).await).await;
    let tensors = json!({
        "platform": "slipway",
        "inputs": [{"name": "imgs", "datatype": "FP32", "shape": [-1, 28, 28]}],
        "outputs": [
            {"name": "class_ids", "datatype": "INT64", "shape": [-1, 1]},
            {"name": "classes", "datatype": "BYTES", "shape": [-1, 1]},
            {"name": "logits", "datatype": "FP32", "shape": [-1, 10]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
        ],
    });
    let mut expected = tensors.clone();
    expected["name"] = "mnist-app".into();
    assert_eq!(application, expected);
    let (version, _) = parts(fixture.send(get("/v2/models/mnist/versions/2")).await).await;
    expected["name"] = "mnist".into();
    expected["versions"] = json!(["1", "2"]);
    assert_eq!(version, expected);
    for (path, name) in [
        ("/v2/models/mnist-app/ready", "mnist-app"),
        ("/v2/models/mnist/versions/1/ready", "mnist"),
    ] {
        assert_eq!(
            parts(fixture.send(get(path)).await).await.0,
            json!({"name": name, "ready": true})
        );
    }
}

#[tokio::test]
async fn an_image_is_answered_with_every_output_in_json() {
    let fixture = Fixture::deployed().await;
    let response = fixture.send(post(INFER, one_image(r#","id":"seven""#))).await;
    assert_eq!(response.headers()["x-model-version"], "mnist:1");
    expect![[r#"
        200 OK
        {"model_name":"mnist-app","model_version":"mnist:1","id":"seven","outputs":[{"name":"class_ids","datatype":"INT64","shape":[1,1],"data":[3]},{"name":"classes","datatype":"BYTES","shape":[1,1],"data":["3"]},{"name":"logits","datatype":"FP32","shape":[1,10],"data":[98.0,98.0,98.0,99.0,98.0,98.0,98.0,98.0,98.0,98.0]},{"name":"probabilities","datatype":"FP32","shape":[1,10],"data":[0.085336745,0.085336745,0.085336745,0.23196931,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745,0.085336745]}]}
    "#]].assert_eq(&text(response).await);
}

#[tokio::test]
async fn the_answers_are_those_of_the_gateway() {
    let fixture = Fixture::deployed().await;
    let gateway = fixture.send(post(PREDICT, images(1, "0.25"))).await;
    let gateway: Value = serde_json::from_slice(&gateway.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let (answer, _) = parts(fixture.send(post(INFER, one_image(""))).await).await;
    for output in answer["outputs"].as_array().unwrap() {
        let rows = &gateway[output["name"].as_str().unwrap()];
        assert_eq!(output["data"], rows[0], "{}", output["name"]);
    }
}

#[tokio::test]
async fn a_version_answers_by_its_own_name() {
    let fixture = Fixture::deployed().await;
    for (number, class) in [("1", 3), ("2", 4)] {
        let path = format!("/v2/models/mnist/versions/{number}/infer");
        let outputs = r#","outputs":[{"name":"class_ids"}]"#;
        let (answer, _) = parts(fixture.send(post(&path, one_image(outputs))).await).await;
        let output = json!({"name": "class_ids", "datatype": "INT64", "shape": [1, 1], "data": [class]});
        assert_eq!(
            answer,
            json!({"model_name": "mnist", "model_version": number, "outputs": [output]})
        );
    }
}

#[tokio::test]
async fn elements_may_stand_behind_the_json_in_both_directions() {
    let fixture = Fixture::deployed().await;
    let elements: Vec<u8> = [0.25_f32; 2 * 784]
        .iter()
        .flat_map(|pixel| pixel.to_le_bytes())
        .collect();
    let input = r#""datatype":"FP32","shape":[2,28,28]"#;
    let rest = r#","outputs":[{"name":"classes","parameters":{"binary_data":true}},{"name":"class_ids"},{"name":"logits","parameters":{"binary_data":true}}]"#;
    let (answer, binary_outputs) = parts(fixture.send(binary(input, &elements, rest)).await).await;
    assert_eq!(
        answer["outputs"],
        json!([
            {"name": "classes", "datatype": "BYTES", "shape": [2, 1], "parameters": {"binary_data_size": 10}},
            {"name": "class_ids", "datatype": "INT64", "shape": [2, 1], "data": [3, 3]},
            {"name": "logits", "datatype": "FP32", "shape": [2, 10], "parameters": {"binary_data_size": 80}},
        ])
    );
    assert_eq!(binary_outputs.len(), 90);
    assert_eq!(&binary_outputs[..10], b"\x01\0\0\x003\x01\0\0\x003");
    // Half of 784 quarters, and one more for the class.
    let logits: Vec<f32> = binary_outputs[10..]
        .as_chunks()
        .0
        .iter()
        .map(|four| f32::from_le_bytes(*four))
        .collect();
    assert_eq!(&logits[..4], [98.0, 98.0, 98.0, 99.0]);
}

#[tokio::test]
async fn a_body_may_be_nothing_but_elements() {
    let fixture = Fixture::deployed().await;
    let elements: Vec<u8> = [0.25_f32; 784].iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
    let request = Request::post(INFER)
        .header(JSON_LENGTH, 0)
        .body(elements.into())
        .unwrap();
    let (answer, binary_outputs) = parts(fixture.send(request).await).await;
    let sizes: Vec<&Value> = answer["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|output| &output["parameters"]["binary_data_size"])
        .collect();
    assert_eq!(sizes, [8, 5, 40, 40]);
    assert_eq!(binary_outputs.len(), 93);
    assert_eq!(&binary_outputs[..8], 3_i64.to_le_bytes());
}

#[tokio::test]
async fn many_images_are_answered_on_another_thread() {
    let fixture = Fixture::deployed().await;
    let elements = vec![1; 20 * 784];
    let input = r#""datatype":"UINT8","shape":[20,28,28,1]"#;
    let (answer, _) = parts(fixture.send(binary(input, &elements, "")).await).await;
    let rest = " ".repeat(limits().inline_max_bytes);
    let (same, _) = parts(fixture.send(binary(input, &elements, &rest)).await).await;
    assert_eq!(answer["outputs"][0]["data"], json!(vec![3; 20]));
    assert_eq!(answer, same);
}

#[tokio::test]
async fn the_repository_tells_what_there_is() {
    let fixture = Fixture::deployed().await;
    let index = |body: &'static str| post("/v2/repository/index", body);
    let entry = |name: &str, version: &str, state: &str, reason: &str| json!({"name": name, "version": version, "state": state, "reason": reason});
    let ready = [
        entry("mnist-app", "", "READY", ""),
        entry("mnist", "1", "READY", ""),
        entry("mnist", "2", "READY", ""),
    ];
    for body in ["", "{}", r#"{"ready":true}"#] {
        assert_eq!(parts(fixture.send(index(body)).await).await.0, json!(ready), "{body}");
    }
    let unload = post(
        "/v2/repository/models/mnist/unload",
        r#"{"parameters":{"unload_dependents":false}}"#,
    );
    assert_eq!(parts(fixture.send(unload).await).await.0, json!({}));
    let unloaded = [
        entry("mnist-app", "", "READY", ""),
        entry("mnist", "1", "UNAVAILABLE", "unloaded"),
        entry("mnist", "2", "UNAVAILABLE", "unloaded"),
    ];
    assert_eq!(parts(fixture.send(index("{}")).await).await.0, json!(unloaded));
    assert_eq!(
        parts(fixture.send(index(r#"{"ready":true}"#)).await).await.0,
        json!([unloaded[0]])
    );
}

#[tokio::test]
async fn a_model_that_was_unloaded_answers_behind_applications_only() {
    let fixture = Fixture::deployed().await;
    let version = "/v2/models/mnist/versions/1";
    assert_eq!(
        fixture
            .send(post("/v2/repository/models/mnist/unload", ""))
            .await
            .status(),
        200
    );
    for request in [
        get(&format!("{version}/ready")),
        post(&format!("{version}/infer"), one_image("")),
    ] {
        let expected = expect![[r#"
            409 Conflict
            {"error":"model `mnist` was unloaded, and answers once it is loaded again"}
        "#]];
        fixture.check(request, expected).await;
    }
    assert_eq!(fixture.send(post(INFER, one_image(""))).await.status(), 200);
    assert_eq!(
        fixture
            .send(post("/v2/repository/models/mnist/load", ""))
            .await
            .status(),
        200
    );
    assert_eq!(fixture.send(get(&format!("{version}/ready"))).await.status(), 200);
    // An application answers anyhow, and as long as it is deployed.
    assert_eq!(
        fixture
            .send(post("/v2/repository/models/mnist-app/load", "{}"))
            .await
            .status(),
        200
    );
    let expected = expect![[r#"
        409 Conflict
        {"error":"application `mnist-app` answers as long as it is deployed, and cannot be unloaded"}
    "#]];
    fixture
        .check(post("/v2/repository/models/mnist-app/unload", "{}"), expected)
        .await;
    let expected = expect![[r#"
        400 Bad Request
        {"error":"parameters.config: a registered model cannot be loaded as another one"}
    "#]];
    let config = r#"{"parameters":{"config":"{}"}}"#;
    fixture
        .check(post("/v2/repository/models/mnist/load", config), expected)
        .await;
    for verb in ["load", "unload"] {
        let response = fixture
            .send(post(&format!("/v2/repository/models/nope/{verb}"), "{}"))
            .await;
        assert_eq!(
            text(response).await,
            "404 Not Found\n{\"error\":\"no model `nope` is registered\"}\n"
        );
    }
}

#[tokio::test]
async fn statistics_count_what_was_asked_whichever_way() {
    let fixture = Fixture::deployed().await;
    let stats = async |path: &str| {
        let (mut answer, _) = parts(fixture.send(get(path)).await).await;
        for model in answer["model_stats"].as_array_mut().unwrap() {
            for times in model["inference_stats"].as_object_mut().unwrap().values_mut() {
                // How long it took differs each time; that it took none, it does not.
                let has_time = times["ns"].as_u64().unwrap() > 0;
                *times = json!([times["count"], has_time]);
            }
            model["last_inference"] = (model["last_inference"].as_u64().unwrap() > 1_700_000_000_000).into();
        }
        answer["model_stats"].take()
    };
    let model = |name: &str, version: &str, n_images: u64, n_answers: u64, n_failures: u64| {
        let answered = json!([n_answers, n_answers > 0]);
        json!({
            "name": name, "version": version, "last_inference": n_answers > 0,
            "inference_count": n_images, "execution_count": n_answers, "batch_stats": [],
            "inference_stats": {
                "success": answered, "fail": [n_failures, n_failures > 0], "queue": [n_answers, false],
                "compute_input": answered, "compute_infer": answered, "compute_output": answered,
            },
        })
    };
    let of_application = "/v2/models/mnist-app/stats";
    assert_eq!(
        stats(of_application).await,
        json!([model("mnist-app", "mnist:1", 0, 0, 0)])
    );
    fixture.send(post(INFER, one_image(""))).await;
    fixture.send(post(PREDICT, images(3, "0"))).await;
    fixture.send(post(INFER, "{}")).await;
    fixture
        .send(post("/v2/models/mnist/versions/2/infer", one_image("")))
        .await;
    fixture.send(post("/v2/models/mnist/versions/2/infer", "{}")).await;
    let application = [model("mnist-app", "", 0, 0, 1), model("mnist-app", "mnist:1", 4, 2, 0)];
    let version = model("mnist", "2", 1, 1, 1);
    assert_eq!(stats(of_application).await, json!(application));
    assert_eq!(stats("/v2/models/mnist/versions/2/stats").await, json!([version]));
    let all = [version, application[0].clone(), application[1].clone()];
    assert_eq!(stats("/v2/models/stats").await, json!(all));
    assert_eq!(
        stats("/v2/models/mnist/versions/1/stats").await,
        json!([model("mnist", "1", 0, 0, 0)])
    );
}

#[tokio::test]
async fn the_version_behind_an_application_may_be_nobodys_business() {
    let settings = AccessSettings {
        hide_model_version: true,
        ..AccessSettings::default()
    };
    let access = Access::new(&settings, "127.0.0.1:0".parse().unwrap()).unwrap();
    let fixture = Fixture::deployed().await.with_access(access);
    let response = fixture.send(post(INFER, one_image(""))).await;
    assert!(!response.headers().contains_key("x-model-version"));
    let (answer, _) = parts(response).await;
    assert!(answer.get("model_version").is_none(), "{answer}");
    // Who names the version knows it.
    let response = fixture
        .send(post("/v2/models/mnist/versions/2/infer", one_image("")))
        .await;
    assert_eq!(parts(response).await.0["model_version"], "2");
}
