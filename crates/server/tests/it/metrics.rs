//! What the server counts.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

use axum::{
    body::Body,
    http::{Request, header},
};
use expect_test::expect;
use http_body_util::BodyExt;
use test_support::OnDemand;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::support::{Fixture, PREDICT, get, images, post};

/// Every series, by its name with labels.
fn series(rendered: &str) -> BTreeMap<String, f64> {
    let samples = rendered.lines().filter(|line| !line.starts_with('#'));
    let samples = samples.map(|line| line.rsplit_once(' ').expect("a sample has a value"));
    samples
        .map(|(name, value)| (name.to_owned(), value.parse().expect("a value is a number")))
        .collect()
}

async fn rendered(fixture: &Fixture) -> String {
    let response = fixture.send(get("/metrics")).await;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// A server that has seen answers of two versions, mistakes of several kinds and a deploy.
async fn busy() -> Fixture {
    let fixture = Fixture::deployed().await;
    for body in [images(1, "0"), images(3, "0"), images(21, "0"), "{".to_owned()] {
        fixture.send(post(PREDICT, body)).await;
    }
    fixture.send(post(PREDICT, " ".repeat((1 << 20) + 1))).await;
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
    fixture
}

#[tokio::test]
async fn counters_are_those_of_the_client_and_labels_are_bounded() {
    let rendered = rendered(&busy().await).await;
    // What a request takes, and what the process does, is not for a snapshot; nor are the limits that nobody met.
    let own_affairs = ["_bucket{", "_sum{", "process_", "bytes"];
    let is_known = |line: &&str| {
        let is_unmet = line.starts_with("slipway_refusals_total") && line.ends_with(" 0");
        !is_unmet && !own_affairs.iter().any(|part| line.contains(part))
    };
    let lines: Vec<_> = rendered
        .lines()
        .filter(is_known)
        .map(|line| line.to_owned() + "\n")
        .collect();
    expect![[r##"
        # HELP slipway_requests_total Requests that were answered.
        # TYPE slipway_requests_total counter
        slipway_requests_total{route="gateway",application="",version="",status="404"} 2
        slipway_requests_total{route="applications",application="",version="",status="201"} 2
        slipway_requests_total{route="none",application="",version="",status="404"} 2
        slipway_requests_total{route="gateway",application="mnist-app",version="mnist:1",status="200"} 2
        slipway_requests_total{route="gateway",application="mnist-app",version="",status="400"} 1
        slipway_requests_total{route="gateway",application="mnist-app",version="",status="413"} 2
        slipway_requests_total{route="gateway",application="mnist-app",version="mnist:2",status="200"} 1
        # HELP slipway_images_total Images that were classified.
        # TYPE slipway_images_total counter
        slipway_images_total{application="mnist-app",version="mnist:1"} 4
        slipway_images_total{application="mnist-app",version="mnist:2"} 2
        # HELP slipway_request_duration_seconds Time from headers to answer.
        # TYPE slipway_request_duration_seconds histogram
        slipway_request_duration_seconds_count{route="gateway"} 8
        slipway_request_duration_seconds_count{route="applications"} 2
        slipway_request_duration_seconds_count{route="none"} 2
        # HELP slipway_requests_in_flight Requests that are being worked on.
        # TYPE slipway_requests_in_flight gauge
        slipway_requests_in_flight 0
        # HELP slipway_refusals_total Requests and connections that were turned away at a limit.
        # TYPE slipway_refusals_total counter
        slipway_refusals_total{reason="body_too_large"} 1
        slipway_refusals_total{reason="too_many_images"} 1
        # HELP slipway_spans_total Spans for the collector, by what became of them.
        # TYPE slipway_spans_total counter
        slipway_spans_total{outcome="sent"} 0
        slipway_spans_total{outcome="dropped"} 0
        # HELP slipway_connections Connections that are open.
        # TYPE slipway_connections gauge
        slipway_connections 0
        # HELP slipway_connections_accepted_total Connections that were accepted.
        # TYPE slipway_connections_accepted_total counter
        slipway_connections_accepted_total 0
        # HELP slipway_accept_errors_total Connections that the operating system could not give.
        # TYPE slipway_accept_errors_total counter
        slipway_accept_errors_total 0
        # HELP slipway_swaps_total Revisions that began to answer.
        # TYPE slipway_swaps_total counter
        slipway_swaps_total 2
        # HELP slipway_application_revision The revision that answers.
        # TYPE slipway_application_revision gauge
        slipway_application_revision{application="mnist-app"} 2
        # HELP slipway_application_broken The newest revision, where it should answer and cannot.
        # TYPE slipway_application_broken gauge
        # HELP slipway_registry_reachable Whether the registry answered when it was looked at last.
        # TYPE slipway_registry_reachable gauge
        slipway_registry_reachable 1
    "##]]
    .assert_eq(&lines.concat());
}

#[tokio::test]
async fn bytes_are_those_of_the_bodies() {
    let fixture = Fixture::deployed().await;
    let before = rendered(&fixture).await;
    let body = images(2, "0.5");
    let n_received = body.len();
    let answer = fixture.send(post(PREDICT, body)).await.into_body().collect().await;
    let n_sent = answer.unwrap().to_bytes().len();
    let after = series(&rendered(&fixture).await);
    let grown = |name| after[name] - series(&before)[name];
    assert_eq!(grown("slipway_received_bytes_total"), n_received as f64);
    // The first look at the counters was an answer itself, and counted after it was written.
    assert_eq!(grown("slipway_sent_bytes_total"), (n_sent + before.len()) as f64);
}

#[tokio::test]
async fn the_figures_of_the_process_are_there() {
    let series = series(&rendered(&Fixture::deployed().await).await);
    for (name, least) in [
        ("process_resident_memory_bytes", 1e6),
        ("process_threads", 1.0),
        ("process_open_fds", 3.0),
        ("process_max_fds", 10.0),
        ("process_cpu_seconds_total", 0.000_1),
        ("process_start_time_seconds", 1.6e9),
    ] {
        assert!(series[name] >= least, "{name} {}", series[name]);
    }
}

#[tokio::test]
async fn promtool_finds_nothing_to_say() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let rendered = rendered(&busy().await).await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`promtool` of Debian's package `prometheus` is there");
    promtool.stdin.take().unwrap().write_all(rendered.as_bytes()).unwrap();
    let outcome = promtool.wait_with_output().unwrap();
    let said = [outcome.stdout, outcome.stderr].concat();
    assert!(outcome.status.success(), "{}", outcome.status);
    assert_eq!(String::from_utf8(said).unwrap(), "");
}

/// Requests of a client that is right as often as wrong, each with the status that it must get.
fn mixed(number: u32) -> (Request<Body>, u16) {
    let path = |path: &str| get(path);
    match number % 10 {
        0..4 => (post(PREDICT, images(1, "0")), 200),
        4 => (post(PREDICT, images(2, "0.5")), 200),
        5 => (post(PREDICT, "{\"imgs\":[[0]]}"), 400),
        6 => (post("/gateway/applications/nope/predict", "{}"), 404),
        7 => (Request::post(PREDICT).body(Body::empty()).unwrap(), 415),
        8 => (path(PREDICT), 405),
        _ => (path("/nowhere"), 404),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counters_equal_the_tally_of_clients_at_once() {
    let n_requests = 100_000;
    let fixture = Fixture::deployed().await;
    let before = series(&rendered(&fixture).await);
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let router = fixture.router.clone();
        clients.spawn(async move {
            let mut tally = BTreeMap::new();
            for number in (client..n_requests).step_by(4) {
                let (request, expected) = mixed(number);
                let status = router.clone().oneshot(request).await.unwrap().status().as_u16();
                assert_eq!(status, expected, "request {number}");
                *tally.entry(status.to_string()).or_insert(0.0) += 1.0;
            }
            tally
        });
    }
    let mut tally = BTreeMap::new();
    for (status, n_answers) in clients.join_all().await.into_iter().flatten() {
        *tally.entry(status).or_insert(0.0) += n_answers;
    }
    let after = series(&rendered(&fixture).await);
    let grown = |name: &str| after.get(name).unwrap_or(&0.0) - before.get(name).unwrap_or(&0.0);
    let mut counted = BTreeMap::new();
    for name in after
        .keys()
        .filter(|name| name.starts_with("slipway_requests_total{") && !name.contains("\"health\""))
    {
        let (_, status) = name.trim_end_matches("\"}").rsplit_once('"').unwrap();
        let n_counted = grown(name);
        if n_counted > 0.0 {
            *counted.entry(status.to_owned()).or_insert(0.0) += n_counted;
        }
    }
    assert_eq!(counted, tally);
    let n_tenths = f64::from(n_requests) / 10.0;
    let of_version =
        "slipway_requests_total{route=\"gateway\",application=\"mnist-app\",version=\"mnist:1\",status=\"200\"}";
    assert_eq!(grown(of_version), 5.0 * n_tenths);
    let images = "slipway_images_total{application=\"mnist-app\",version=\"mnist:1\"}";
    assert_eq!(grown(images), 6.0 * n_tenths);
    let timed = "slipway_request_duration_seconds_count{route=\"gateway\"}";
    assert_eq!(grown(timed), 9.0 * n_tenths);
}
