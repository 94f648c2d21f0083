//! What the server counts.

use axum::body::Body;
use expect_test::expect;

use crate::support::{Fixture, PREDICT, get, images, post, text};

#[tokio::test]
async fn counters_are_those_of_the_client_and_labels_are_bounded() {
    let fixture = Fixture::deployed().await;
    for body in [images(1, "0"), images(3, "0"), "{".to_owned()] {
        fixture.send(post(PREDICT, body)).await;
    }
    for path in [
        "/gateway/applications/nope/predict",
        "/gateway/applications/nope2/predict",
        "/x",
        "/y",
    ] {
        fixture.send(post(path, Body::empty())).await;
    }
    assert_eq!(fixture.deploy("mnist:2").await.status(), 201);
    fixture.send(post(PREDICT, images(2, "0"))).await;
    let rendered = text(fixture.send(get("/metrics")).await).await;
    // Which time a request takes is not for a snapshot.
    let mut lines: Vec<_> = rendered
        .lines()
        .filter(|line| !line.contains("_bucket") && !line.contains("_sum"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    lines.sort();
    expect![[r#"

        # EOF
        # HELP slipway_application_revision The revision that answers.
        # HELP slipway_deploys Revisions that began to answer.
        # HELP slipway_images Images that were classified.
        # HELP slipway_request_seconds Time from headers to answer.
        # HELP slipway_requests Requests that were answered.
        # HELP slipway_requests_in_flight Requests that are being worked on.
        # TYPE slipway_application_revision gauge
        # TYPE slipway_deploys counter
        # TYPE slipway_images counter
        # TYPE slipway_request_seconds histogram
        # TYPE slipway_requests counter
        # TYPE slipway_requests_in_flight gauge
        # UNIT slipway_request_seconds seconds
        200 OK
        slipway_application_revision{application="mnist-app"} 2
        slipway_deploys_total 2
        slipway_images_total{application="mnist-app",version="mnist:1"} 4
        slipway_images_total{application="mnist-app",version="mnist:2"} 2
        slipway_request_seconds_count{route="/api/applications/{application}"} 2
        slipway_request_seconds_count{route="/gateway/applications/{application}/{signature}"} 6
        slipway_request_seconds_count{route="none"} 2
        slipway_requests_in_flight 1
        slipway_requests_total{route="/api/applications/{application}",application="",version="",status="201"} 2
        slipway_requests_total{route="/gateway/applications/{application}/{signature}",application="",version="",status="404"} 2
        slipway_requests_total{route="/gateway/applications/{application}/{signature}",application="mnist-app",version="",status="400"} 1
        slipway_requests_total{route="/gateway/applications/{application}/{signature}",application="mnist-app",version="mnist:1",status="200"} 2
        slipway_requests_total{route="/gateway/applications/{application}/{signature}",application="mnist-app",version="mnist:2",status="200"} 1
        slipway_requests_total{route="none",application="",version="",status="404"} 2
    "#]].assert_eq(&lines.concat());
}
