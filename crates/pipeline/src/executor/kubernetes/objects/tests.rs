//! What is asked of a cluster, as people read it.

use expect_test::expect_file;

use super::*;
use crate::{
    decide::Key,
    render::yaml,
    settings::{Bucket, Registry, Settings, tests::settings},
    state::RunId,
};

const IMAGE: &str = "registry.example/slipway@sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn scene() -> Scene {
    scene_with(|_| {}).unwrap()
}

fn scene_with(change: impl FnOnce(&mut Settings)) -> anyhow::Result<Scene> {
    let mut settings = settings();
    settings.root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    change(&mut settings);
    Scene::new(&settings, IMAGE, "slipway")
}

fn nightly(settings: &mut Settings) {
    settings.kubernetes.retraining_schedule = Some("30 2 * * *".parse().unwrap());
}

/// The settings with their registry in a bucket at `endpoint`.
fn in_bucket(settings: &mut Settings, endpoint: Option<&str>) {
    settings.server.registry = Registry::Bucket(Bucket {
        url: "s3://models/team-a".parse().unwrap(),
        endpoint: endpoint.map(|endpoint| endpoint.parse().unwrap()),
        region: None,
    });
    settings.kubernetes.registry_credentials = Some("slipway-bucket".to_owned());
    settings.kubernetes.registry_certificates = Some("our-authority".to_owned());
}

fn key() -> Key {
    Key {
        arguments: [("--listen".to_owned(), "0.0.0.0:8080".to_owned())].into(),
        ..Key::default()
    }
}

#[test]
fn what_stands_before_the_first_step() {
    let objects = [vec![Scene::namespace("slipway")], scene().base()].concat();
    expect_file!["tests/base.yaml"].assert_eq(&yaml::documents(&objects));
}

#[test]
fn the_server_is_a_deployment() {
    expect_file!["tests/deployment.yaml"].assert_eq(&yaml::document(&scene().deployment(&key())));
}

#[test]
fn each_task_is_a_job() {
    let scene = scene();
    let run = RunId::from("000007-20260112T101530Z");
    let tasks = scene.plan.steps.iter().filter(|step| step.name != StepName::Serve);
    let jobs: Vec<Value> = tasks
        .map(|step| {
            scene.job(&Attempt {
                step,
                run: &run,
                digest: Attempt::digest(&key()),
                number: 1,
            })
        })
        .collect();
    expect_file!["tests/jobs.yaml"].assert_eq(&yaml::documents(&jobs));
}

/// No volume, credentials by reference, and a way out: all that differs.
#[test]
fn a_registry_in_a_bucket_is_reached_by_the_servers_alone() {
    let scene = scene_with(|settings| in_bucket(settings, Some("https://minio.example:9000"))).unwrap();
    let deployment = scene.deployment(&key());
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let policy = scene
        .base()
        .into_iter()
        .find(|object| object["kind"] == "NetworkPolicy" && object["metadata"]["name"] == names::SERVER);
    let parts = serde_json::json!({
        "command": container["command"],
        "env": container["env"],
        "volumeMounts": container["volumeMounts"],
        "volumes": pod["volumes"],
        "egress": policy.unwrap()["spec"]["egress"],
    });
    expect_file!["tests/bucket.yaml"].assert_eq(&yaml::document(&parts));
    let claims = scene
        .base()
        .into_iter()
        .filter(|object| object["kind"] == "PersistentVolumeClaim");
    let claims: Vec<Value> = claims.map(|claim| claim["metadata"]["name"].clone()).collect();
    assert_eq!(claims, [names::WORK]);
    for step in scene.tasks() {
        let (container, volumes) = scene.container(step, scene.rendered(step));
        let is_certificates = |volume: &Value| volume["name"] == CERTIFICATES;
        assert!(
            container.get("env").is_none() && !volumes.iter().any(is_certificates),
            "{} has nothing to do with the bucket",
            step.name
        );
    }
}

#[test]
fn a_bucket_that_no_pod_could_reach_is_refused() {
    let refusal = |change: fn(&mut Settings)| scene_with(change).unwrap_err().to_string();
    assert_eq!(
        refusal(|settings| {
            in_bucket(settings, Some("http://minio.example"));
            settings.kubernetes.registry_credentials = None;
        }),
        "the registry `s3://models/team-a` takes credentials in a cluster: expected the name of a secret (key \
         `kubernetes.registry_credentials`), found none"
    );
    assert_eq!(
        refusal(|settings| in_bucket(settings, None)),
        "the registry `s3://models/team-a` is with Amazon: expected a region (key `server.registry_region`), found none"
    );
}

#[test]
fn an_image_is_asked_for_its_programs_by_a_job() {
    expect_file!["tests/look.yaml"].assert_eq(&yaml::document(&scene().look(7)));
}

#[test]
fn the_cluster_itself_delivers_where_there_is_a_schedule() {
    let is_retraining = |object: &Value| object["metadata"]["name"] == names::RETRAINING;
    assert!(!scene().base().iter().any(is_retraining));
    let scene = scene_with(nightly).unwrap();
    let mut objects = scene.base();
    let project = objects
        .iter()
        .find(|object| object["metadata"]["name"] == names::PROJECT);
    assert!(
        project.unwrap()["data"]["pipeline.yaml"]
            .as_str()
            .unwrap()
            .contains("\nkubernetes:\n")
    );
    objects.retain(is_retraining);
    expect_file!["tests/retraining.yaml"].assert_eq(&yaml::documents(&objects));
}

/// Whoever finds a way into that pod can deliver, and nothing else.
#[test]
fn a_retraining_may_list_no_secret_and_enter_no_pod() {
    let scene = scene_with(nightly).unwrap();
    let role = scene
        .base()
        .into_iter()
        .find(|object| object["kind"] == "Role")
        .unwrap();
    for rule in role["rules"].as_array().unwrap() {
        let resource = rule["resources"][0].as_str().unwrap();
        let has_new_names = ["jobs", "pods", "pods/log", "events"].contains(&resource)
            || (resource == "leases" && rule["verbs"] == serde_json::json!(["create"]));
        assert!(has_new_names || rule["resourceNames"].is_array(), "{rule}");
        let verbs = rule["verbs"].as_array().unwrap();
        assert!(verbs.iter().all(|verb| verb != "*" && verb != "watch"), "{rule}");
    }
}

#[test]
fn what_a_cluster_cannot_look_for_is_refused_with_a_schedule() {
    let refusal = |change: fn(&mut Settings)| {
        let scene = scene_with(|settings| {
            nightly(settings);
            change(settings);
        });
        scene.unwrap_err().to_string()
    };
    let source = refusal(|settings| settings.data.source = Some("crates".to_owned()));
    assert!(
        source.starts_with("the data set comes from `crates` (key `data.source`), where"),
        "{source}"
    );
    let outside = refusal(|settings| settings.server.api_keys_file = Some("crates/../README.md".into()));
    assert!(
        outside.contains("(key `server.api_keys_file`) does not lie below"),
        "{outside}"
    );
}

#[test]
fn load_decides_how_many_servers_there_are_where_it_may() {
    let mut scene = scene();
    scene.settings.kubernetes.replicas_max = Some(5.try_into().unwrap());
    assert_eq!(scene.deployment(&key())["spec"].get("replicas"), None);
    let scaler = scene
        .base()
        .into_iter()
        .find(|object| object["kind"] == "HorizontalPodAutoscaler")
        .unwrap();
    assert_eq!(
        (&scaler["spec"]["minReplicas"], &scaler["spec"]["maxReplicas"]),
        (&2.into(), &5.into())
    );
}

#[test]
fn a_name_that_means_another_image_tomorrow_is_refused() {
    for right in [
        "slipway:1",
        "localhost:5000/slipway:1",
        "slipway@sha256:00",
        "a/b:latest@sha256:00",
    ] {
        check_image(right).unwrap();
    }
    for wrong in ["localhost:5000/slipway", "slipway:latest"] {
        let refusal = check_image(wrong).unwrap_err().to_string();
        assert!(
            refusal.starts_with(&format!("the image `{wrong}` (`--image`) means another one")),
            "{refusal}"
        );
    }
}

/// No pod may do more than it must: what Pod Security calls restricted, and no token of the cluster.
#[test]
fn every_pod_is_nobody_in_particular() {
    let scene = scene();
    let run = RunId::from("000001-20260112T101530Z");
    for step in &scene.plan.steps {
        let object = match step.name {
            StepName::Serve => scene.deployment(&key()),
            _ => scene.job(&Attempt {
                step,
                run: &run,
                digest: Attempt::digest(&key()),
                number: 1,
            }),
        };
        let pod = &object["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false, "{}", step.name);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{}", step.name);
        let container = &pod["containers"][0]["securityContext"];
        assert_eq!(container["readOnlyRootFilesystem"], true, "{}", step.name);
        assert_eq!(container["capabilities"]["drop"][0], "ALL", "{}", step.name);
    }
}
