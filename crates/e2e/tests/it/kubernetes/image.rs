//! The image: four programs, and nothing that a stranger could use.

use std::process::Command;

use serde_json::Value;
use test_support::OnDemand;

use super::place::{Place, image, variable};
use crate::{project::steps, workspace};

/// Largest size of the packed image, in bytes.
const SIZE_MAX: u64 = 25_000_000;

/// What Docker puts into every container.
const OF_DOCKER: [&str; 9] = [
    ".dockerenv",
    "dev/console",
    "dev/pts/",
    "dev/shm/",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "dev/",
];

fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_image_has_four_programs_and_nothing_else() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let image = image(0);
    let about: Value = serde_json::from_str(&shell(&format!("docker image inspect '{image}'"))).unwrap();
    let config = &about[0]["Config"];
    assert_eq!(
        (&config["User"], &config["Healthcheck"]),
        (&"65532:65532".into(), &Value::Null)
    );
    for label in ["title", "description", "licenses", "revision"] {
        let label = format!("org.opencontainers.image.{label}");
        assert!(config["Labels"][&label].is_string(), "{label}: {config}");
    }
    let files = shell(&format!(
        "id=$(docker create '{image}'); docker export \"$id\" | tar -t; docker rm \"$id\" >/dev/null"
    ));
    let files = files
        .lines()
        .filter(|name| !OF_DOCKER.contains(name) && !name.starts_with("proc") && !name.starts_with("sys"));
    let mut files: Vec<&str> = files.filter(|name| !name.ends_with('/')).collect();
    files.sort_unstable();
    assert_eq!(
        files,
        [
            "usr/bin/mnist-data",
            "usr/bin/pipeline",
            "usr/bin/server",
            "usr/bin/trainer"
        ]
    );
    let size: u64 = shell(&format!("docker save '{image}' | gzip | wc -c"))
        .trim()
        .parse()
        .unwrap();
    assert!(size <= SIZE_MAX, "{size} bytes");
}

/// `pipeline image` with the Dockerfile of this checkout: the name that it prints.
fn build(place: &Place, arguments: &[&str]) -> String {
    let folder = workspace::root().display().to_string();
    let command = [&["image"], arguments, &["--folder", &folder]].concat();
    place.project.well(&command).trim().to_owned()
}

fn layers(image: &str) -> Value {
    serde_json::from_str(&shell(&format!(
        "docker image inspect --format '{{{{json .RootFS.Layers}}}}' '{image}'"
    )))
    .unwrap()
}

#[test]
fn the_pipeline_builds_and_loads_what_a_cluster_runs_and_trains_nothing_anew_for_its_name() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.up(0);
    let archive = place.project.workspace.join("image.tar").display().to_string();
    let built = build(&place, &["build", "--archive", &archive]);
    assert!(built.starts_with("localhost/slipway:"), "{built}");
    let entries: Value = serde_json::from_str(&shell(&format!("tar -xOf '{archive}' manifest.json"))).unwrap();
    assert_eq!(entries[0]["RepoTags"][0], built.as_str());

    let loaded = build(&place, &["load", "--with", &variable("CLUSTER_LOAD")]);
    assert_eq!(loaded, built);
    let outcome = place.well(&["up", "--json", "--image", &loaded]);
    assert_eq!(steps(&outcome.stdout), ["serve"], "{}", outcome.stderr);
}

/// Everything is compiled again, which takes many minutes.
#[test]
fn the_same_commit_is_the_same_image_however_often_it_is_built() {
    if !OnDemand::Cluster.is_asked_for() || !OnDemand::Slow.is_asked_for() {
        return;
    }
    let place = Place::new();
    let built = build(&place, &["build"]);
    let again = build(&place, &["build", "--no-cache"]);
    assert_eq!((layers(&again), &again), (layers(&built), &built));
}
