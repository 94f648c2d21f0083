//! The OpenAPI document, held against what the server does.

mod peer;
mod schema;

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Method, Request, Response, header},
};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::support::{Fixture, artifact, get};

/// Methods that a path may have.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::PATCH,
    Method::OPTIONS,
    Method::TRACE,
];

async fn json(response: Response<Body>) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

async fn document(fixture: &Fixture) -> Value {
    json(fixture.send(get("/openapi.json")).await).await
}

/// Every operation as path, method and description.
fn operations(document: &Value) -> Vec<(String, Method, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| {
            let method = method.to_uppercase().parse().unwrap();
            (path.clone(), method, operation.clone())
        })
    });
    operations.collect()
}

/// The path with the examples of its parameters.
fn example_path(document: &Value, path: &str) -> String {
    let parameters = document["components"]["parameters"].as_object().unwrap();
    parameters.iter().fold(path.to_owned(), |path, (name, parameter)| {
        let example = &parameter["example"];
        let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        path.replace(&format!("{{{name}}}"), &text)
    })
}

#[tokio::test]
async fn every_route_is_described_and_everything_described_is_a_route() {
    let fixture = Fixture::deployed().await;
    let document = document(&fixture).await;
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<(String, Method)> = operations(&document)
        .into_iter()
        .map(|(path, method, _)| (path, method))
        .collect();
    assert!(described.len() > 10, "{described:?}");
    let paths: BTreeSet<&String> = described.iter().map(|(path, _)| path).collect();
    for path in paths {
        let address = example_path(&document, path);
        assert!(!address.contains('{'), "no example for a parameter of {path}");
        for method in METHODS {
            let request = Request::builder().method(&method).uri(&address).body(Body::empty());
            let response = fixture.send(request.unwrap()).await;
            let is_described = described.contains(&(path.clone(), method.clone()));
            assert_eq!(
                response.status() != 405,
                is_described,
                "{method} {path}: {}",
                response.status()
            );
            assert_ne!(response.status(), 404, "{method} {path}");
            if !is_described {
                check_allowed(path, &described, &response);
            }
        }
    }
}

/// The answer to a wrong method names the right ones.
fn check_allowed(path: &str, described: &BTreeSet<(String, Method)>, response: &Response<Body>) {
    let allowed = response.headers()[header::ALLOW].to_str().unwrap();
    let allowed: BTreeSet<&str> = allowed
        .split(',')
        .map(str::trim)
        .filter(|method| *method != "HEAD")
        .collect();
    let expected = described.iter().filter(|(described, _)| described == path);
    assert_eq!(allowed, expected.map(|(_, method)| method.as_str()).collect(), "{path}");
}

/// What is no endpoint of the table would be in the router only.
#[test]
fn no_route_stands_beside_the_table() {
    for (file, text) in [
        ("http.rs", include_str!("../../src/http.rs")),
        ("serve.rs", include_str!("../../src/serve.rs")),
    ] {
        for call in [".route(", ".route_service(", ".nest(", ".nest_service("] {
            assert!(
                !text.contains(call),
                "{file} has `{call}`: endpoints belong into the table of endpoints.rs"
            );
        }
    }
}

#[tokio::test]
async fn every_example_is_answered_as_described() {
    let fixture = Fixture::deployed().await;
    let document = document(&fixture).await;
    for (path, method, operation) in operations(&document) {
        let name = format!("{method} {path}");
        let mut request = Request::builder().method(&method).uri(example_path(&document, &path));
        let mut body = Body::empty();
        if let Some((media_type, content)) = operation["requestBody"]["content"]
            .as_object()
            .and_then(|all| all.iter().next())
        {
            request = request.header(header::CONTENT_TYPE, media_type);
            // An artifact is no example that anybody could read.
            body = match content.get("example") {
                Some(example) => {
                    schema::check(&document, &content["schema"], example, &name);
                    Body::from(example.to_string())
                }
                None => Body::from(artifact(5)),
            };
        }
        let response = fixture.send(request.body(body).unwrap()).await;
        assert!(response.status().is_success(), "{name}: {}", response.status());
        schema::check_answer(&document, &operation, response, &name).await;
    }
}

#[tokio::test]
async fn the_example_of_an_error_has_the_form_of_errors() {
    let document = document(&Fixture::empty().await).await;
    let answers = document["components"]["responses"].as_object().unwrap();
    assert!(answers.len() > 5);
    for (name, answer) in answers {
        let content = &answer["content"]["application/json"];
        schema::check(&document, &content["schema"], &content["example"], name);
    }
}

#[tokio::test]
async fn the_table_of_the_formats_names_every_path() {
    let document = document(&Fixture::empty().await).await;
    let formats = include_str!("../../../../docs/formats.md");
    for (path, method, _) in operations(&document) {
        // There, a version is called by what it is.
        let entry = format!("`{method} {}`", path.replace("{version}", "{number}"));
        assert!(formats.contains(&entry), "docs/formats.md lacks {entry}");
    }
}
