//! Calls that are refused: because they are wrong, or because of who makes them or when.

use axum::{
    body::Body,
    http::{HeaderMap, Request},
};
use expect_test::expect;
use http_body_util::BodyExt;
use serde_json::Value;

use server::{Access, AccessSettings, Limits};

use super::{
    ask,
    client::{call, call_with, frame},
    failure,
    proto::{inference, tensorflow::serving},
    raw, typed,
};
use crate::{
    open_inference::one_image,
    support::{Fixture, images, limits, post},
};

/// What is told is wrong with a request over HTTP, in whichever form.
async fn told(fixture: &Fixture, request: Request<Body>) -> String {
    let body = fixture.send(request).await.into_body().collect().await.unwrap();
    let answer: Value = serde_json::from_slice(&body.to_bytes()).unwrap();
    let message = answer["information"]["message"].as_str().or(answer["error"].as_str());
    message.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn the_same_mistake_is_told_in_the_same_words_in_every_protocol() {
    let fixture = Fixture::deployed().await;
    let infer = async |request| {
        failure::<inference::ModelInferResponse>(&fixture, "ModelInfer", &request)
            .await
            .message
    };
    for (shape, n_expected) in [("[1,27]", "found [1, 27]"), ("[21,784]", "at most 20 images")] {
        let mut message = typed(1);
        message.inputs[0].shape = serde_json::from_str(shape).unwrap();
        let document = one_image("").replace("[1,784]", shape);
        let texts = [
            told(&fixture, post("/v2/models/mnist-app/infer", document)).await,
            infer(message).await,
        ];
        assert_eq!(texts[0], texts[1]);
        assert!(
            texts[0].contains(n_expected) && texts[0].starts_with("inputs[0].shape: "),
            "{}",
            texts[0]
        );
    }
    let mut message = typed(1);
    message.model_name = "nope".to_owned();
    let mut predict = serving::PredictRequest::default();
    predict.model_spec.get_or_insert_default().name = "nope".to_owned();
    let path = "tensorflow.serving.PredictionService/Predict";
    let predicted = call::<serving::PredictResponse>(&fixture, path, &predict).await;
    let instances = images(1, "0").replace("imgs", "instances");
    let texts = [
        told(&fixture, post("/gateway/applications/nope/predict", images(1, "0"))).await,
        told(&fixture, post("/v1/models/nope:predict", instances)).await,
        told(&fixture, post("/v2/models/nope/infer", one_image(""))).await,
        infer(message).await,
        predicted.unwrap_err().message,
    ];
    assert_eq!(
        texts,
        [0; 5].map(|_| "no application `nope` is deployed; deployed: `mnist-app`")
    );
}

#[tokio::test]
async fn what_is_wrong_has_a_code_and_the_place() {
    let fixture = Fixture::deployed().await;
    let infer = async |request: &inference::ModelInferRequest| {
        let failure = failure::<inference::ModelInferResponse>(&fixture, "ModelInfer", request).await;
        format!("{} {}\n", failure.code, failure.message)
    };
    let mut lines = String::new();
    let mut request = typed(1);
    request.inputs[0].shape = vec![1, 27];
    lines += &infer(&request).await;
    request = typed(1);
    request.inputs[0].contents.as_mut().unwrap().fp32_contents.pop();
    lines += &infer(&request).await;
    request = typed(1);
    request.inputs[0].contents.as_mut().unwrap().int_contents.push(1);
    lines += &infer(&request).await;
    request = raw(1);
    request.inputs[0].contents = typed(1).inputs[0].contents.clone();
    lines += &infer(&request).await;
    request = raw(1);
    request.raw_input_contents.push(Vec::new().into());
    lines += &infer(&request).await;
    request = raw(1);
    request.raw_input_contents[0] = vec![0xff; 4 * 784].into();
    lines += &infer(&request).await;
    request = typed(1);
    request.model_name = "nope".to_owned();
    lines += &infer(&request).await;
    request.model_name = "a b".to_owned();
    lines += &infer(&request).await;
    lines += &infer(&typed(21)).await;
    let nothing = failure::<inference::ModelInferResponse>(&fixture, "ModelDream", &typed(1)).await;
    lines += &format!("{} {}\n", nothing.code, nothing.message);
    expect![[r#"
        3 inputs[0].shape: expected [N, 28, 28] or [28, 28] or [784] or [N, 784] or [N, 28, 28, 1] or [28, 28, 1], found [1, 27]
        3 inputs[0].contents.fp32_contents: expected 784 numbers, found 783
        3 inputs[0].contents.fp32_contents: expected 784 numbers, found 1 elements of another type
        3 inputs[0].contents: expected none beside `raw_input_contents`, found some
        3 raw_input_contents: expected 1 entries, one for each input, found 2
        3 raw_input_contents[0][0]: expected a number within ±3.4e38, found one that is not
        5 no application `nope` is deployed; deployed: `mnist-app`
        3 wrong name at `model_name`: ` ` at position 2 of the name `a b`, expected an ASCII letter, digit, `-`, `_` or `.`
        8 inputs[0].shape: expected at most 20 images, found more
        12 there is no call `/inference.GRPCInferenceService/ModelDream`
    "#]].assert_eq(&lines);
}

#[tokio::test]
async fn a_body_that_is_no_message_is_refused() {
    let fixture = Fixture::deployed().await;
    let whole = frame(&typed(1));
    let mut compressed = whole.clone();
    compressed[0] = 1;
    let mut other = whole.clone();
    other[0] = 7;
    let mut lines = String::new();
    for (name, body) in [
        ("nothing", Vec::new()),
        ("half a prefix", whole[..3].to_vec()),
        ("half a message", whole[..100].to_vec()),
        ("more than one", [whole.clone(), whole.clone()].concat()),
        ("compressed without a word", compressed.clone()),
        ("another mark", other),
        ("no message", [&[0, 0, 0, 0, 4][..], b"\xff\xff\xff\xff"].concat()),
        ("too long", frame(&raw(400))),
    ] {
        let answer = call_with(
            &fixture,
            "inference.GRPCInferenceService/ModelInfer",
            &HeaderMap::new(),
            body,
        )
        .await;
        let failure = answer.map(|_| ()).unwrap_err();
        lines += &format!("{name}: {} {}\n", failure.code, failure.message);
    }
    let headers = HeaderMap::from_iter([("grpc-encoding".parse().unwrap(), "deflate".parse().unwrap())]);
    let answer = call_with(
        &fixture,
        "inference.GRPCInferenceService/ModelInfer",
        &headers,
        compressed,
    )
    .await;
    let failure = answer.map(|_| ()).unwrap_err();
    lines += &format!("deflate: {} {}\n", failure.code, failure.message);
    expect![[r#"
        nothing: 3 the body is not one message, with its length before it: found 0 bytes
        half a prefix: 3 the body is not one message, with its length before it: found 3 bytes
        half a message: 3 the body is not one message, with its length before it: found 95 bytes of a message of 3180
        more than one: 3 the body is not one message, with its length before it: found 6365 bytes of a message of 3180
        compressed without a word: 3 the body is not one message, with its length before it: found a compressed message without `grpc-encoding`
        another mark: 3 the body is not one message, with its length before it: found a first byte of 7
        no message: 3 the message is not understood: failed to decode Protobuf message: invalid varint
        too long: 8 the body is too long
        deflate: 12 the `grpc-encoding` of the message is not understood: expected `gzip`, found `deflate`
    "#]]
    .assert_eq(&lines);
}

#[tokio::test]
async fn a_call_takes_a_key_and_management_is_not_for_everybody() {
    let folder = tempfile::TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, "0123456789abcdef\n").unwrap();
    let settings = AccessSettings {
        api_keys_file: Some(keys),
        ..AccessSettings::default()
    };
    // An address that others reach, so that management is closed.
    let access = Access::new(&settings, "0.0.0.0:0".parse().unwrap()).unwrap();
    let fixture = Fixture::deployed().await.with_access(access);
    let refused = failure::<inference::ModelInferResponse>(&fixture, "ModelInfer", &raw(1)).await;
    assert_eq!(refused.code, "16", "{refused:?}");
    let index = inference::RepositoryIndexRequest::default();
    let refused = failure::<inference::RepositoryIndexResponse>(&fixture, "RepositoryIndex", &index).await;
    assert_eq!(refused.code, "7", "{refused:?}");
    let key = HeaderMap::from_iter([("x-api-key".parse().unwrap(), "0123456789abcdef".parse().unwrap())]);
    let answer = call_with(
        &fixture,
        "inference.GRPCInferenceService/ModelInfer",
        &key,
        frame(&raw(1)),
    )
    .await;
    assert!(answer.is_ok());
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_refused_at_once() {
    let fixture = Fixture::deployed().await.with_limits(Limits {
        requests_in_flight_max: 0,
        ..limits()
    });
    let refused = failure::<inference::ModelInferResponse>(&fixture, "ModelInfer", &raw(1)).await;
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        ("8", "as many requests are worked on as may be")
    );
    let _: inference::ServerLiveResponse = ask(&fixture, "ServerLive", &inference::ServerLiveRequest {}).await;
}
