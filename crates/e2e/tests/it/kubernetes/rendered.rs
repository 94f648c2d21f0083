//! What is rendered for other tools, taken by them.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use test_support::{OnDemand, Outcome, Running};

use super::{
    delivery::Load,
    place::{Place, image},
};
use crate::project::RUN_MAX;

/// Copies a folder into the place's own.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

pub(crate) fn rendered() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../k8s")
}

#[test]
fn the_cluster_takes_base_and_overlays_without_a_warning() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.kubectl_with(
        &["create", "--filename", "-"],
        &RESTRICTED.replace("NAME", &place.namespace),
    );
    copy(&rendered(), &place.project.workspace.join("k8s"));
    for folder in ["base", "overlays/dev", "overlays/prod"] {
        let here = "namespace: NAMESPACE\nresources: [../k8s/FOLDER]\n";
        let here = here.replace("NAMESPACE", &place.namespace).replace("FOLDER", folder);
        place
            .project
            .workspace
            .write("here/kustomization.yaml", here.as_bytes());
        let here = place.project.workspace.join("here");
        let command = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--kustomize",
            here.to_str().unwrap(),
        ];
        let (told, complaints) = place.kubectl_both(&command);
        assert_eq!(complaints, "", "{folder}");
        assert!(
            told.contains("deployment.apps/slipway-server serverside-applied"),
            "{folder}: {told}"
        );
    }
}

const RESTRICTED: &str = r#"
apiVersion: v1
kind: Namespace
metadata:
  name: NAME
  labels:
    app.kubernetes.io/name: slipway
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
"#;

/// The data set is there already, as it is where a chart takes over: nothing comes from outside into this cluster.
#[test]
fn the_chart_is_installed_upgraded_and_removed() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.up(0);
    place.well(&["down", "--keep-data"]);
    place.project.set("source: digits", "source: null");
    let render = place
        .project
        .pipeline(&["render", "--format", "helm", "--image", &image(0)]);
    assert_eq!(render.code, 0, "{}", render.stderr);
    let chart = place.project.workspace.join("k8s/chart");
    let chart = chart.to_str().unwrap();
    helm(&place, &["lint", "--strict", chart]);
    for claim in ["slipway-work", "slipway-registry"] {
        let release = format!("meta.helm.sh/release-namespace={}", place.namespace);
        place.kubectl(&["annotate", "pvc", claim, "meta.helm.sh/release-name=slipway", &release]);
        place.kubectl(&[
            "label",
            "--overwrite",
            "pvc",
            claim,
            "app.kubernetes.io/managed-by=Helm",
        ]);
    }
    // The class of a claim is for good, and these have got the cluster's default.
    let class = place.kubectl(&[
        "get",
        "pvc",
        "slipway-work",
        "--output=jsonpath={.spec.storageClassName}",
    ]);
    let class = format!("storageClass={class}");
    let wait = ["--set", &class, "--wait", "--timeout", "4m"];
    helm(&place, &[&["install", "slipway", chart], wait.as_slice()].concat());
    let path = format!(
        "/api/v1/namespaces/{}/services/slipway-server:http/proxy/readyz",
        place.namespace
    );
    let ready: Value = serde_json::from_str(&place.kubectl(&["get", "--raw", &path])).unwrap();
    assert_eq!(ready["status"], "ready");
    // The installation ends well only with the delivery, whose test went through the Service.
    let metrics = place.kubectl(&["get", "--raw", &path.replace("readyz", "metrics")]);
    assert!(
        metrics.contains("slipway_application_revision{application=\"mnist-app\"}"),
        "{metrics}"
    );

    let load = Load::start(&place);
    helm(
        &place,
        &[&["upgrade", "slipway", chart, "--set", "replicas=3"], wait.as_slice()].concat(),
    );
    load.check("a chart with one more server");
    let replicas = place.kubectl(&[
        "get",
        "deployment",
        "slipway-server",
        "--output",
        "jsonpath={.status.readyReplicas}",
    ]);
    assert_eq!(replicas, "3");
    helm(&place, &["uninstall", "slipway", "--wait"]);
}

fn helm(place: &Place, arguments: &[&str]) -> Outcome {
    let mut command = Command::new("helm");
    command
        .env("KUBECONFIG", place.kubeconfig())
        .env("HOME", place.project.workspace.path());
    if arguments[0] != "lint" {
        command.args(["--namespace", &place.namespace]);
    }
    let outcome = Running::start(command.args(arguments)).wait(RUN_MAX);
    assert_eq!(
        outcome.code, 0,
        "helm {arguments:?}: {}\n{}",
        outcome.stdout, outcome.stderr
    );
    outcome
}
