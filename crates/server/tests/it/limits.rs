//! What happens at the limits: refused at once, given up in time, and never in the way of the probes.

use std::{convert::Infallible, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use expect_test::expect;
use futures::stream;

use server::Limits;

use crate::support::{Fixture, PREDICT, get, images, limits, post, service, text};

/// The body of a client that never sends it.
fn endless() -> Body {
    Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())
}

#[tokio::test]
async fn a_request_beyond_the_limit_is_refused_at_once() {
    let fixture = Fixture::deployed().await.with_limits(Limits {
        requests_in_flight_max: 1,
        ..limits()
    });
    let mut first = Box::pin(fixture.send(post(PREDICT, endless())));
    let second = async {
        fixture
            .check(
                post(PREDICT, images(1, "0")),
                expect![[r#"
            503 Service Unavailable
            {"error":"Internal","information":{"message":"as many requests are worked on as may be"}}
        "#]],
            )
            .await;
        assert_eq!(
            fixture.send(post(PREDICT, images(1, "0"))).await.headers()["retry-after"],
            "1"
        );
        for probe in ["/livez", "/readyz", "/metrics", "/api/server"] {
            assert_eq!(fixture.send(get(probe)).await.status(), 200, "{probe}");
        }
    };
    tokio::select! {
        biased;
        _ = &mut first => panic!("an endless body has no answer"),
        () = second => {}
    }
    // A client that hangs up gives its place back.
    drop(first);
    assert_eq!(fixture.send(post(PREDICT, images(1, "0"))).await.status(), 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let fixture = Fixture::deployed().await.with_limits(Limits {
        request_timeout: Duration::from_millis(20),
        ..limits()
    });
    fixture
        .check(
            post(PREDICT, endless()),
            expect![[r#"
        504 Gateway Timeout
        {"error":"Internal","information":{"message":"not finished within 20 ms"}}
    "#]],
        )
        .await;
}

#[tokio::test]
async fn nothing_is_unknown_before_everything_is_loaded() {
    let fixture = Fixture::deployed().await;
    // A second server on the same registry that has not looked at it yet.
    let registry = inference::Registry::open(fixture.folder.path().to_str().unwrap()).unwrap();
    let applications = std::sync::Arc::new(inference::Applications::new(registry));
    let late = Fixture {
        router: service(server::App::new(applications.clone(), limits())),
        applications,
        ..fixture
    };
    late.check(
        get("/readyz"),
        expect![[r#"
        503 Service Unavailable
        {"error":"Internal","information":{"message":"the applications are being loaded"}}
    "#]],
    )
    .await;
    late.check(
        post(PREDICT, images(1, "0")),
        expect![[r#"
        503 Service Unavailable
        {"error":"Internal","information":{"message":"the applications are being loaded"}}
    "#]],
    )
    .await;
    assert_eq!(
        text(late.send(get("/livez")).await).await,
        "200 OK\n{\"status\":\"alive\"}\n"
    );

    late.applications.refresh().await.unwrap();
    late.check(
        get("/readyz"),
        expect![[r#"
        200 OK
        {"status":"ready"}
    "#]],
    )
    .await;
    assert_eq!(late.send(post(PREDICT, images(1, "0"))).await.status(), 200);
}
