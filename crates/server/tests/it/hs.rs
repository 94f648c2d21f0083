//! What the original's clients ask for, answered as they read it.

mod applications;
mod models;
mod names;
mod peers;
mod theirs;

use std::io::Write;

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use flate2::{Compression, write::GzEncoder};
use http_body_util::BodyExt;
use serde_json::Value;
use tar::{Builder, Header};

use crate::support::{Fixture, artifact, post, put};

/// Between the parts of an upload; a part that contained it would be cut there.
const EDGE: &str = "edge-9f645778214041b7";

/// A tar archive in gzip, as Python packs a folder.
pub(crate) fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut builder = Builder::new(encoder);
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// An upload with these parts, as `hs` sends it.
fn upload(parts: &[(&str, &[u8])]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let file = if *name == "payload" {
            "; filename=\"filename\""
        } else {
            ""
        };
        write!(
            body,
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"
        )
        .unwrap();
        body.extend(*content);
        body.extend(b"\r\n");
    }
    write!(body, "--{EDGE}--\r\n").unwrap();
    Request::post("/api/v1/model/upload")
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={EDGE}"))
        .body(body.into())
        .unwrap()
}

/// An upload of a model that always answers `class`.
fn upload_of(name: &str, class: usize) -> Request<Body> {
    let payload = packed(&[("model.safetensors", &artifact(class))]);
    upload(&[("model_name", name.as_bytes()), ("payload", &payload)])
}

async fn json(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let value = serde_json::from_slice(&bytes);
    (status, value.unwrap_or_else(|_| panic!("{status}: {bytes:?}")))
}

async fn send(fixture: &Fixture, request: Request<Body>) -> (StatusCode, Value) {
    json(fixture.send(request).await).await
}

/// The answer to a request that must succeed.
async fn succeed(fixture: &Fixture, request: Request<Body>) -> Value {
    let (status, value) = send(fixture, request).await;
    assert!(status.is_success(), "{status}: {value}");
    value
}

/// Status and message of a request that must fail in the original's form.
async fn refusal(fixture: &Fixture, request: Request<Body>) -> String {
    let (status, value) = send(fixture, request).await;
    assert!(status.is_client_error(), "{status}: {value}");
    assert_eq!(value["error"], "Client");
    let path = value["information"]["path"].as_str().map(|path| format!(" at {path}"));
    let message = value["information"]["message"].as_str().unwrap();
    format!("{}{}: {message}", status.as_u16(), path.unwrap_or_default())
}

/// An application as `hs` describes it: stages of services with a version, a weight and a signature each.
fn described(runtime: u64, name: &str, stages: &[&[(u64, u32, &str)]]) -> Value {
    let service = |(version, weight, signature): &(u64, u32, &str)| {
        serde_json::json!({
            "weight": weight, "signatureName": signature, "runtimeId": runtime, "modelVersionId": version,
        })
    };
    let stage = |services: &&[(u64, u32, &str)]| {
        let services: Vec<Value> = services.iter().map(service).collect();
        serde_json::json!({"services": services})
    };
    let stages: Vec<Value> = stages.iter().map(stage).collect();
    serde_json::json!({"kafkaStreaming": [], "executionGraph": {"stages": stages}, "name": name})
}

fn create(body: &Value) -> Request<Body> {
    post("/api/v1/applications", body.to_string())
}

fn update(body: &Value, id: &Value) -> Request<Body> {
    let mut body = body.clone();
    body["id"] = id.clone();
    put("/api/v1/applications", body.to_string())
}

/// The id of the runtime that the tutorial's manifests name.
async fn runtime(fixture: &Fixture) -> u64 {
    let runtimes = succeed(fixture, crate::support::get("/api/v1/runtime")).await;
    let runtimes = runtimes.as_array().unwrap().iter();
    let mut named = runtimes.filter(|runtime| {
        runtime["name"] == "hydrosphere/serving-runtime-tensorflow" && runtime["version"] == "1.7.0-latest"
    });
    named.next().unwrap()["id"].as_u64().unwrap()
}
