//! What is rendered for other tools: fresh in this repository, and accepted by those tools.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use test_support::{OnDemand, Python, Workspace};

use crate::run;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file beside this one.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/render").join(name)
}

fn rendered() -> String {
    root().join("k8s").display().to_string()
}

#[test]
fn what_this_repository_has_is_what_would_be_rendered() {
    let (config, output) = (root().join("pipeline.yaml").display().to_string(), rendered());
    let workspace = Workspace::new();
    let outcome = run(
        &workspace,
        &["render", "--config", &config, "--output", &output, "--check"],
    );
    assert_eq!(
        outcome.code, 0,
        "`pipeline render` writes them anew:\n{}",
        outcome.stderr
    );
}

#[test]
fn what_is_stale_is_told_and_then_written() {
    let workspace = Workspace::new();
    let config = root().join("pipeline.yaml").display().to_string();
    let render = |more: &[&str]| {
        run(
            &workspace,
            &[&["render", "--config", &config, "--format", "yaml"], more].concat(),
        )
    };
    assert_eq!(render(&["--check"]).code, 1);
    assert_eq!(workspace.files(""), [""; 0]);
    assert_eq!(render(&[]).code, 0);
    assert_eq!(
        (workspace.files(""), render(&["--check"]).code),
        (vec!["k8s/slipway.yaml".to_owned()], 0)
    );
    let other = render(&["--check", "--image", "slipway:another"]);
    assert!(
        other.stderr.contains("`k8s/slipway.yaml` is not as"),
        "{}",
        other.stderr
    );
}

/// The settings of the repository, changed, in a folder of their own.
fn changed(old: &str, new: &str) -> Workspace {
    let workspace = Workspace::new();
    for name in ["pipeline.yaml", "application.yaml"] {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        workspace.write(name, text.replacen(old, new, 1).as_bytes());
    }
    workspace
}

/// Where a chart decides about image and namespace, it decides about those of the retraining, too.
#[test]
fn a_retraining_on_a_schedule_is_rendered_where_one_is_set() {
    let workspace = changed("retraining_schedule: null", "retraining_schedule: \"@daily\"");
    let outcome = run(&workspace, &["render", "--format", "helm"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let text = String::from_utf8(workspace.read("k8s/chart/templates/slipway.yaml")).unwrap();
    let object = |kind: &str| {
        let mut objects = text.split("---\n");
        let found = objects.find(|object| object.contains(&format!("\nkind: {kind}\n")));
        found.unwrap_or_else(|| panic!("no {kind}: {text}"))
    };
    let cron_job = object("CronJob");
    assert_eq!(cron_job.matches("{{ .Values.image | quote }}").count(), 2, "{cron_job}");
    assert!(!cron_job.contains("image: slipway"), "{cron_job}");
    assert!(
        object("RoleBinding").contains("namespace: {{ .Release.Namespace | quote }}"),
        "{text}"
    );
}

/// A folder of this machine is nothing that a file could name.
#[test]
fn a_data_set_on_this_machine_is_not_rendered() {
    let workspace = changed("source: null", "source: .");
    let outcome = run(&workspace, &["render"]);
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.stderr.contains("which is on this machine only"),
        "{}",
        outcome.stderr
    );
}

/// The shipped settings with their registry in a bucket.
fn with_bucket() -> Workspace {
    let workspace = Workspace::new();
    for name in ["pipeline.yaml", "application.yaml"] {
        let mut text = std::fs::read_to_string(root().join(name)).unwrap();
        for (old, new) in [
            ("registry: registry", "registry: s3://models/team-a"),
            (
                "registry_endpoint: null",
                "registry_endpoint: https://minio.example:9000",
            ),
            ("registry_credentials: null", "registry_credentials: slipway-bucket"),
            ("registry_certificates: null", "registry_certificates: our-authority"),
        ] {
            text = text.replacen(old, new, 1);
        }
        workspace.write(name, text.as_bytes());
    }
    let outcome = run(&workspace, &["render"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    workspace
}

#[test]
fn a_registry_in_a_bucket_is_rendered_for_every_tool_without_a_volume_and_without_a_secret() {
    let workspace = with_bucket();
    let mut n_with_server = 0;
    for file in workspace.files("k8s") {
        let text = String::from_utf8(workspace.read(&file)).unwrap();
        assert!(
            !text.contains("slipway-registry") && !text.contains("registryStorage"),
            "{file}"
        );
        if text.contains("AWS_ACCESS_KEY_ID") {
            n_with_server += 1;
            assert!(text.contains("secretKeyRef") && !text.contains("stringData"), "{file}");
        }
    }
    // Plain, kustomize, the chart and KServe; the others take no server along.
    assert_eq!(n_with_server, 4);
    let values = String::from_utf8(workspace.read("k8s/chart/values.yaml")).unwrap();
    for line in [
        "registry: s3://models/team-a\n",
        "registryEndpoint: https://minio.example:9000\n",
        "registryCredentials: slipway-bucket\n",
        "registryCertificates: our-authority\n",
    ] {
        assert!(values.contains(line), "{values}");
    }
    let template = String::from_utf8(workspace.read("k8s/chart/templates/slipway.yaml")).unwrap();
    for value in [
        "registry",
        "registryEndpoint",
        "registryCredentials",
        "registryCertificates",
    ] {
        assert!(
            template.contains(&format!("{{{{ .Values.{value} | quote }}}}")),
            "{template}"
        );
    }
    assert_eq!(run(&workspace, &["render", "--check"]).code, 0);
}

#[test]
fn the_warnings_are_given_when_they_should_be() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    for arguments in [["check", "rules"], ["test", "rules"]] {
        let file = match arguments[0] {
            "check" => root().join("k8s/monitoring/rules.yaml"),
            _ => beside("rules_test.yaml"),
        };
        let promtool = Command::new("promtool").args(arguments).arg(file).output();
        let outcome = promtool.expect("`promtool` of Debian's package `prometheus` is there");
        let told = [outcome.stdout, outcome.stderr].concat();
        assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&told));
    }
}

#[test]
fn workflows_and_trainings_have_no_field_that_their_tools_do_not_know() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let python = Python::with(&beside("models.txt"));
    let with_bucket = with_bucket();
    for folder in [rendered(), with_bucket.join("k8s").display().to_string()] {
        let told = python.run(&Workspace::new(), &beside("read_models.py"), &[&folder]);
        assert_eq!(
            told,
            "argo/cron-workflow.yaml CronWorkflow\nargo/workflow.yaml Workflow\n\
             kserve/inference-service.yaml InferenceService\nkserve/serving-runtime.yaml ServingRuntime\n\
             kubeflow/train-job.yaml TrainJob\nkubeflow/training-runtime.yaml TrainingRuntime\n"
        );
    }
}
