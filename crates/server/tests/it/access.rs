//! Who is let in, and how those who are not are told.

use std::{fs, path::PathBuf};

use axum::{body::Body, http::Request};
use expect_test::expect;

use formats::api::{IDEMPOTENCY_KEY, MODEL_VERSION};
use server::{Access, AccessSettings};

use crate::support::{Fixture, PREDICT, artifact, get, images, post, put, spec};

const TOKEN: &str = "token-0123456789abcdef";
const KEY: &str = "key-0123456789abcdef";

/// The management, each way in.
fn management() -> Vec<Request<Body>> {
    vec![
        get("/api/models"),
        get("/api/models/mnist/versions"),
        get("/api/models/mnist/versions/1"),
        get("/api/models/mnist/versions/1/artifact"),
        Request::post("/api/models/mnist/versions")
            .header(IDEMPOTENCY_KEY, "run")
            .body(artifact(3).into())
            .unwrap(),
        get("/api/applications"),
        get("/api/applications/mnist-app"),
        put("/api/applications/mnist-app", spec("mnist-app", "mnist:2")),
        get("/api/applications/mnist-app/revisions"),
        post("/api/applications/mnist-app/rollback", "{}"),
    ]
}

fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// A server at `address`, with tokens and keys where they are given.
async fn fixture(address: &str, tokens: Option<&str>, keys: Option<&str>) -> Fixture {
    let fixture = Fixture::deployed().await;
    let folder = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: Option<&str>| -> Option<PathBuf> {
        let path = folder.path().join(name);
        fs::write(&path, text?).unwrap();
        Some(path)
    };
    let settings = AccessSettings {
        management_token_file: write("tokens", tokens),
        api_keys_file: write("keys", keys),
        hide_model_version: false,
    };
    fixture.with_access(Access::new(&settings, address.parse().unwrap()).unwrap())
}

#[tokio::test]
async fn management_is_not_offered_where_others_reach_it_and_nothing_tells_them_apart() {
    let fixture = fixture("0.0.0.0:8080", None, None).await;
    for request in management() {
        fixture
            .check(
                request,
                expect![[r#"
                    403 Forbidden
                    {"error":"Client","information":{"message":"management is offered at a loopback address, or to who has a token: this server has neither"}}
                "#]],
            )
            .await;
    }
    assert_eq!(fixture.send(post(PREDICT, images(1, "0"))).await.status(), 200);
    for probe in ["/livez", "/readyz", "/metrics", "/api/server"] {
        assert_eq!(fixture.send(get(probe)).await.status(), 200, "{probe}");
    }
    assert_eq!(fixture.applications.deployed()[0].number().get(), 1);
}

#[tokio::test]
async fn management_takes_its_token_wherever_there_is_one() {
    for address in ["127.0.0.1:8080", "0.0.0.0:8080"] {
        let fixture = fixture(address, Some(TOKEN), None).await;
        for request in management() {
            fixture
                .check(
                    with(request, "authorization", "Bearer another-0123456789abcdef"),
                    expect![[r#"
                        401 Unauthorized
                        {"error":"Client","information":{"message":"management takes a token that this server knows","expected":"`authorization: Bearer …`"}}
                    "#]],
                )
                .await;
        }
        let refused = fixture.send(get("/api/models")).await;
        assert_eq!(
            (
                refused.status().as_u16(),
                refused.headers()["www-authenticate"].to_str().unwrap()
            ),
            (401, "Bearer realm=\"slipway\"")
        );
        assert_eq!(fixture.applications.deployed()[0].number().get(), 1);
        for request in management() {
            let answer = fixture
                .send(with(request, "authorization", &format!("Bearer {TOKEN}")))
                .await;
            assert!(answer.status().is_success());
        }
        assert_eq!(fixture.send(post(PREDICT, images(1, "0"))).await.status(), 200);
    }
}

#[tokio::test]
async fn predictions_take_a_key_where_there_is_a_file_of_them() {
    let fixture = fixture("127.0.0.1:8080", None, Some(&format!("alice:{KEY}\n"))).await;
    let ask = |path: &str| post(path, images(1, "0"));
    for request in [
        ask(PREDICT),
        with(ask(PREDICT), "x-api-key", "alice"),
        ask("/gateway/applications/none/none"),
    ] {
        fixture
            .check(
                request,
                expect![[r#"
                    401 Unauthorized
                    {"error":"Client","information":{"message":"predictions take an API key that this server knows","expected":"`authorization: Bearer …` or `x-api-key: …`"}}
                "#]],
            )
            .await;
    }
    assert_eq!(fixture.send(with(ask(PREDICT), "x-api-key", KEY)).await.status(), 200);
    let bearer = with(ask(PREDICT), "authorization", &format!("Bearer {KEY}"));
    assert_eq!(fixture.send(bearer).await.status(), 200);
    assert_eq!(
        fixture.send(get("/api/models")).await.status(),
        200,
        "keys are for predictions"
    );
}

#[tokio::test]
async fn which_version_answered_is_told_unless_it_is_to_be_hidden() {
    let told = Fixture::deployed().await;
    let answer = told.send(post(PREDICT, images(1, "0"))).await;
    assert_eq!(answer.headers()[MODEL_VERSION], "mnist:1");
    let settings = AccessSettings {
        hide_model_version: true,
        ..AccessSettings::default()
    };
    let hidden = told.with_access(Access::new(&settings, "127.0.0.1:80".parse().unwrap()).unwrap());
    let answer = hidden.send(post(PREDICT, images(1, "0"))).await;
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key(MODEL_VERSION));
}
