//! Calls of gRPC: every field of the protocol's service, TensorFlow Serving's call, health, and the limits.

mod client;
pub(crate) mod proto;
mod refused;
mod tensorflow;

use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use prost::Message;

use crate::support::{Fixture, get, text};

pub(crate) use client::frame;
use client::{Failure, call, call_with};
pub(crate) use proto::inference;

/// What a call with an answer of no interest ends with.
async fn failure<A: Message + Default>(fixture: &Fixture, name: &str, message: &impl Message) -> Failure {
    let path = format!("inference.GRPCInferenceService/{name}");
    call::<A>(fixture, &path, message).await.map(|_| ()).unwrap_err()
}

async fn ask<A: Message + Default>(fixture: &Fixture, name: &str, message: &impl Message) -> A {
    let path = format!("inference.GRPCInferenceService/{name}");
    let answer = call(fixture, &path, message).await;
    answer.unwrap_or_else(|failure| panic!("{name}: {failure:?}")).0
}

pub(crate) fn tensor(datatype: &str, shape: &[i64]) -> inference::model_infer_request::InferInputTensor {
    inference::model_infer_request::InferInputTensor {
        name: "imgs".to_owned(),
        datatype: datatype.to_owned(),
        shape: shape.to_vec(),
        ..Default::default()
    }
}

/// A request about `n_images`, every pixel a quarter, in a list of numbers.
pub(crate) fn typed(n_images: usize) -> inference::ModelInferRequest {
    let mut input = tensor("FP32", &[n_images as i64, 28, 28]);
    input.contents = Some(inference::InferTensorContents {
        fp32_contents: vec![0.25; n_images * 784],
        ..Default::default()
    });
    inference::ModelInferRequest {
        model_name: "mnist-app".to_owned(),
        id: "seven".to_owned(),
        inputs: vec![input],
        ..Default::default()
    }
}

/// The same as bytes.
pub(crate) fn raw(n_images: usize) -> inference::ModelInferRequest {
    let mut request = typed(n_images);
    request.inputs[0].contents = None;
    let bytes: Vec<u8> = [0.25_f32.to_le_bytes()].repeat(n_images * 784).concat();
    request.raw_input_contents = vec![bytes.into()];
    request
}

#[tokio::test]
async fn the_server_tells_what_it_is() {
    let fixture = Fixture::deployed().await;
    let live: inference::ServerLiveResponse = ask(&fixture, "ServerLive", &inference::ServerLiveRequest {}).await;
    let ready: inference::ServerReadyResponse = ask(&fixture, "ServerReady", &inference::ServerReadyRequest {}).await;
    assert!(live.live && ready.ready);
    let metadata: inference::ServerMetadataResponse =
        ask(&fixture, "ServerMetadata", &inference::ServerMetadataRequest {}).await;
    assert_eq!(metadata.name, "slipway-server");
    assert_eq!(metadata.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(
        metadata.extensions,
        ["binary_tensor_data", "model_repository", "statistics"]
    );
}

#[tokio::test]
async fn a_model_tells_how_it_is_called() {
    let fixture = Fixture::deployed().await;
    for (name, version, versions) in [("mnist-app", "", &[][..]), ("mnist", "2", &["1", "2"])] {
        let (name, version) = (name.to_owned(), version.to_owned());
        let request = inference::ModelReadyRequest {
            name: name.clone(),
            version: version.clone(),
        };
        let ready: inference::ModelReadyResponse = ask(&fixture, "ModelReady", &request).await;
        assert!(ready.ready);
        let request = inference::ModelMetadataRequest { name, version };
        let metadata: inference::ModelMetadataResponse = ask(&fixture, "ModelMetadata", &request).await;
        assert_eq!((&metadata.name, metadata.platform.as_str()), (&request.name, "slipway"));
        assert_eq!(metadata.versions, versions);
        let tensors = [metadata.inputs, metadata.outputs].concat();
        let tensors: Vec<_> = tensors
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor.datatype.as_str(), tensor.shape.as_slice()))
            .collect();
        assert_eq!(
            tensors,
            [
                ("imgs", "FP32", &[-1, 28, 28][..]),
                ("class_ids", "INT64", &[-1, 1]),
                ("classes", "BYTES", &[-1, 1]),
                ("logits", "FP32", &[-1, 10]),
                ("probabilities", "FP32", &[-1, 10]),
            ]
        );
    }
}

#[tokio::test]
async fn numbers_in_lists_are_answered_with_lists() {
    let fixture = Fixture::deployed().await;
    let answer: inference::ModelInferResponse = ask(&fixture, "ModelInfer", &typed(2)).await;
    assert_eq!(
        (answer.model_name.as_str(), answer.model_version.as_str()),
        ("mnist-app", "mnist:1")
    );
    assert_eq!(answer.id, "seven");
    assert!(answer.raw_output_contents.is_empty());
    let outputs: Vec<_> = answer
        .outputs
        .iter()
        .map(|output| (output.name.as_str(), output.datatype.as_str(), output.shape.as_slice()))
        .collect();
    assert_eq!(
        outputs,
        [
            ("class_ids", "INT64", &[2, 1][..]),
            ("classes", "BYTES", &[2, 1]),
            ("logits", "FP32", &[2, 10]),
            ("probabilities", "FP32", &[2, 10]),
        ]
    );
    let contents = |index: usize| answer.outputs[index].contents.clone().unwrap();
    assert_eq!(contents(0).int64_contents, [3, 3]);
    assert_eq!(contents(1).bytes_contents, [&b"3"[..], b"3"]);
    assert_eq!(contents(2).fp32_contents[..4], [98.0, 98.0, 98.0, 99.0]);
    assert_eq!(contents(3).fp32_contents.len(), 20);
}

#[tokio::test]
async fn bytes_are_answered_with_bytes_and_only_with_what_is_wanted() {
    let fixture = Fixture::deployed().await;
    let mut request = raw(1);
    request.model_name = "mnist".to_owned();
    request.model_version = "2".to_owned();
    for name in ["classes", "logits"] {
        request
            .outputs
            .push(inference::model_infer_request::InferRequestedOutputTensor {
                name: name.to_owned(),
                ..Default::default()
            });
    }
    let answer: inference::ModelInferResponse = ask(&fixture, "ModelInfer", &request).await;
    assert_eq!(answer.model_version, "2");
    assert_eq!(answer.outputs.len(), 2);
    assert!(answer.outputs.iter().all(|output| output.contents.is_none()));
    let [classes, logits] = &answer.raw_output_contents[..] else {
        panic!("{} outputs", answer.raw_output_contents.len());
    };
    assert_eq!(classes, &b"\x01\0\0\x004"[..]);
    assert_eq!(logits.len(), 40);
}

#[tokio::test]
async fn every_type_of_numbers_is_understood() {
    let fixture = Fixture::deployed().await;
    let contents = |fill: &dyn Fn(&mut inference::InferTensorContents)| {
        let mut contents = inference::InferTensorContents::default();
        fill(&mut contents);
        Some(contents)
    };
    for (datatype, shape, contents) in [
        (
            "FP32",
            &[784][..],
            contents(&|list| list.fp32_contents = vec![1.0; 784]),
        ),
        ("FP64", &[28, 28], contents(&|list| list.fp64_contents = vec![1.0; 784])),
        ("UINT8", &[1, 784], contents(&|list| list.uint_contents = vec![1; 784])),
        (
            "INT32",
            &[28, 28, 1],
            contents(&|list| list.int_contents = vec![1; 784]),
        ),
        (
            "INT64",
            &[1, 28, 28, 1],
            contents(&|list| list.int64_contents = vec![1; 784]),
        ),
    ] {
        let mut request = typed(1);
        request.inputs = vec![tensor(datatype, shape)];
        request.inputs[0].contents = contents;
        let answer: inference::ModelInferResponse = ask(&fixture, "ModelInfer", &request).await;
        let logits = answer.outputs[2].contents.clone().unwrap().fp32_contents;
        assert_eq!(logits[..4], [392.0, 392.0, 392.0, 393.0], "{datatype}");
    }
}

#[tokio::test]
async fn the_repository_is_that_of_the_http_form() {
    let fixture = Fixture::deployed().await;
    let index = async |ready| -> Vec<String> {
        let request = inference::RepositoryIndexRequest {
            ready,
            ..Default::default()
        };
        let answer: inference::RepositoryIndexResponse = ask(&fixture, "RepositoryIndex", &request).await;
        let line = |model: &inference::repository_index_response::ModelIndex| {
            format!("{} {} {} {}", model.name, model.version, model.state, model.reason)
        };
        answer.models.iter().map(line).collect()
    };
    let all = ["mnist-app  READY ", "mnist 1 READY ", "mnist 2 READY "];
    assert_eq!(index(false).await, all);
    // As KServe's clients name the model.
    let unload = inference::RepositoryModelUnloadRequest {
        repository_name: "mnist".to_owned(),
        ..Default::default()
    };
    let answer: inference::RepositoryModelUnloadResponse = ask(&fixture, "RepositoryModelUnload", &unload).await;
    assert!(answer.is_unloaded && answer.model_name == "mnist");
    assert_eq!(index(true).await, all[..1]);
    assert_eq!(index(false).await[1], "mnist 1 UNAVAILABLE unloaded");
    let ready = inference::ModelReadyRequest {
        name: "mnist".to_owned(),
        version: "1".to_owned(),
    };
    let refused = failure::<inference::ModelReadyResponse>(&fixture, "ModelReady", &ready).await;
    assert_eq!(refused.code, "9", "{refused:?}");
    // And as Triton's do.
    let load = inference::RepositoryModelLoadRequest {
        model_name: "mnist".to_owned(),
        ..Default::default()
    };
    let answer: inference::RepositoryModelLoadResponse = ask(&fixture, "RepositoryModelLoad", &load).await;
    assert!(answer.is_loaded && answer.model_name == "mnist");
    assert_eq!(index(true).await, all);
}

#[tokio::test]
async fn statistics_count_calls_too() {
    let fixture = Fixture::deployed().await;
    ask::<inference::ModelInferResponse>(&fixture, "ModelInfer", &raw(3)).await;
    let request = inference::ModelStatisticsRequest {
        name: "mnist-app".to_owned(),
        ..Default::default()
    };
    let answer: inference::ModelStatisticsResponse = ask(&fixture, "ModelStatistics", &request).await;
    let [model] = &answer.model_stats[..] else {
        panic!("{answer:?}");
    };
    assert_eq!((model.name.as_str(), model.version.as_str()), ("mnist-app", "mnist:1"));
    assert_eq!((model.inference_count, model.execution_count), (3, 1));
    assert!(model.last_inference > 0);
    let times = model.inference_stats.unwrap();
    for spent in [
        times.success,
        times.compute_input,
        times.compute_infer,
        times.compute_output,
    ] {
        let spent = spent.unwrap();
        assert!(spent.count == 1 && spent.ns > 0, "{spent:?}");
    }
    assert_eq!(times.fail.unwrap().count, 0);
}

#[tokio::test]
async fn a_message_may_be_compressed() {
    use std::io::Write;
    let fixture = Fixture::deployed().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&typed(1).encode_to_vec()).unwrap();
    let message = encoder.finish().unwrap();
    let body = [&[1][..], &(message.len() as u32).to_be_bytes(), &message].concat();
    let headers = HeaderMap::from_iter([("grpc-encoding".parse().unwrap(), "gzip".parse().unwrap())]);
    let answer = call_with(&fixture, "inference.GRPCInferenceService/ModelInfer", &headers, body).await;
    let (message, _) = answer.unwrap();
    let answer = inference::ModelInferResponse::decode(message).unwrap();
    assert_eq!(answer.outputs.len(), 4);
}

#[tokio::test]
async fn a_call_is_counted_as_every_request() {
    let fixture = Fixture::deployed().await;
    ask::<inference::ModelInferResponse>(&fixture, "ModelInfer", &raw(2)).await;
    failure::<inference::ModelInferResponse>(&fixture, "ModelInfer", &typed(21)).await;
    let metrics = text(fixture.send(get("/metrics")).await).await;
    for line in [
        r#"slipway_requests_total{route="grpc",application="mnist-app",version="mnist:1",status="200"} 1"#,
        r#"slipway_requests_total{route="grpc",application="mnist-app",version="",status="413"} 1"#,
        r#"slipway_images_total{application="mnist-app",version="mnist:1"} 2"#,
        r#"slipway_refusals_total{reason="too_many_images"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn health_is_that_of_the_server_and_of_applications() {
    let fixture = Fixture::deployed().await;
    let check = async |service: &str| {
        let request = tonic_health::pb::HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = call::<tonic_health::pb::HealthCheckResponse>(&fixture, "grpc.health.v1.Health/Check", &request);
        answer
            .await
            .map(|(answer, _)| answer.status().as_str_name())
            .map_err(|failure| failure.code)
    };
    for service in [
        "",
        "inference.GRPCInferenceService",
        "tensorflow.serving.PredictionService",
        "mnist-app",
    ] {
        assert_eq!(check(service).await, Ok("SERVING"), "{service}");
    }
    assert_eq!(check("nope").await, Err("5".to_owned()));
}

#[tokio::test]
async fn a_watch_tells_the_status_at_once() {
    let fixture = Fixture::deployed().await;
    let request = Request::post("/grpc.health.v1.Health/Watch")
        .header("content-type", "application/grpc")
        .body(frame(&tonic_health::pb::HealthCheckRequest::default()).into())
        .unwrap();
    let mut body = fixture.send(request).await.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let answer = tonic_health::pb::HealthCheckResponse::decode(&first[5..]).unwrap();
    assert_eq!(answer.status().as_str_name(), "SERVING");
}
