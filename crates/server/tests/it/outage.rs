//! A registry that is gone, and one in which something is broken: serving goes on, management says why it does not, and
//! everything is as before once it is back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use axum::{body::Body, http::Request};
use expect_test::expect;

use formats::digest::Digest;
use inference::{Applications, Registry};
use server::App;

use crate::support::{Fixture, PREDICT, artifact, get, images, limits, post, put, service, spec, text};

/// What the registry does its part for.
fn management() -> Vec<Request<Body>> {
    vec![
        get("/api/models"),
        get("/api/models/other/versions"),
        get("/api/models/mnist/versions/9"),
        get("/api/models/mnist/versions/1/artifact"),
        Request::post("/api/models/mnist/versions")
            .body(artifact(5).into())
            .unwrap(),
        Request::post("/api/models/other/versions")
            .body(artifact(5).into())
            .unwrap(),
        put("/api/applications/mnist-app", spec("mnist-app", "mnist:2")),
        put("/api/applications/other", spec("other", "mnist:1")),
        get("/api/applications/mnist-app/revisions"),
        post("/api/applications/mnist-app/rollback", "{}"),
    ]
}

/// Everything that is in the registry, with its bytes.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut contents = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => contents.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    contents.sort();
    contents
}

/// Takes the registry away as `spoil` does, looks at everything, and brings it back.
async fn check_outage(spoil: impl Fn(&Path), reason: &str) {
    let fixture = Fixture::deployed().await;
    let folder = fixture.folder.path().to_owned();
    let before = contents(&folder);
    let aside = folder.with_extension("aside");
    fs::rename(&folder, &aside).unwrap();
    spoil(&folder);
    let expected = format!(
        "503 Service Unavailable\n{{\"error\":\"Internal\",\"information\":{{\"message\":\"the registry cannot be used: {reason}\"}}}}\n"
    );
    for request in management() {
        let what = format!("{} {}", request.method(), request.uri());
        let response = fixture.send(request).await;
        let retry_after = response.headers().get("retry-after").cloned();
        assert_eq!(text(response).await, expected, "{what}");
        assert!(retry_after.is_some(), "{what}");
    }
    assert!(fixture.applications.refresh().await.is_err());
    let metrics = text(fixture.send(get("/metrics")).await).await;
    assert!(metrics.contains("\nslipway_registry_reachable 0\n"), "{metrics}");
    assert_eq!(fixture.send(post(PREDICT, images(1, "0"))).await.status(), 200);
    for path in [
        "/readyz",
        "/api/applications",
        "/api/applications/mnist-app",
        "/api/models/mnist/versions/1",
    ] {
        assert_eq!(fixture.send(get(path)).await.status(), 200, "{path}");
    }
    // Nothing was made in the place of what is gone, so it can come back.
    match folder.is_dir() {
        true => fs::remove_dir(&folder).unwrap(),
        false => drop(fs::remove_file(&folder)),
    }
    fs::rename(&aside, &folder).unwrap();
    assert_eq!(contents(&folder), before);
    assert_eq!(fixture.deploy("mnist:2").await.status(), 201);
    fixture.applications.refresh().await.unwrap();
    let metrics = text(fixture.send(get("/metrics")).await).await;
    assert!(metrics.contains("\nslipway_registry_reachable 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_registry_that_is_moved_away_is_missed_and_found_again() {
    check_outage(|_| {}, "nothing is where it was").await;
}

#[tokio::test]
async fn an_empty_folder_in_its_place_is_not_taken_for_the_registry() {
    check_outage(|folder| fs::create_dir(folder).unwrap(), "nothing is where it was").await;
}

#[tokio::test]
async fn a_file_in_its_place_is_not_taken_for_the_registry() {
    check_outage(|folder| fs::write(folder, "").unwrap(), "not a directory").await;
}

#[tokio::test]
async fn a_broken_application_is_told_by_name_and_stops_no_other() {
    let fixture = Fixture::deployed().await;
    let good = put("/api/applications/good", spec("good", "mnist:2"));
    assert_eq!(fixture.send(good).await.status(), 201);
    let digest = Digest::of(&artifact(3));
    let path = fixture
        .folder
        .path()
        .join(format!("models/mnist/artifacts/{digest}.safetensors"));
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    // A server that starts on what is left.
    let registry = Registry::open(fixture.folder.path().to_str().unwrap()).unwrap();
    let applications = std::sync::Arc::new(Applications::new(registry));
    applications.refresh().await.unwrap();
    let restarted = Fixture {
        router: service(App::new(applications.clone(), limits())),
        applications,
        folder: fixture.folder,
    };
    restarted
        .check(
            get("/readyz"),
            expect![[r#"
                200 OK
                {"status":"ready","broken":["mnist-app"]}
            "#]],
        )
        .await;
    let listed = text(restarted.send(get("/api/applications")).await).await;
    assert!(
        listed.contains(r#"{"name":"mnist-app","broken":{"revision":1,"reason":"`models/mnist/artifacts/"#)
            && listed.contains(r#"in the registry is damaged or was not written by this program: digest "#)
            && listed.contains(r#"{"name":"good","answers":{"#),
        "{listed}"
    );
    assert!(!listed.contains(restarted.folder.path().to_str().unwrap()), "{listed}");
    let metrics = text(restarted.send(get("/metrics")).await).await;
    assert!(
        metrics.contains("\nslipway_application_broken{application=\"mnist-app\"} 1\n"),
        "{metrics}"
    );
    let good = post("/gateway/applications/good/predict", images(1, "0"));
    assert_eq!(restarted.send(good).await.status(), 200);
    assert_eq!(restarted.send(post(PREDICT, images(1, "0"))).await.status(), 404);
    // A good revision takes its place, and nothing is broken any more.
    assert_eq!(restarted.deploy("mnist:2").await.status(), 201);
    assert_eq!(
        text(restarted.send(get("/readyz")).await).await,
        "200 OK\n{\"status\":\"ready\"}\n"
    );
}
