//! From an empty cluster to a proven model, and what a change makes of it.

use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::{OnDemand, patience};

use super::place::{Place, image};
use crate::project::steps;

pub(crate) const ALL: [&str; 6] = ["download", "train", "serve", "upload", "deploy", "test"];

#[test]
fn up_delivers_into_an_empty_cluster_and_a_second_up_changes_nothing() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    let plan = place.pipeline(&["plan", "--image", &image(0)]);
    assert_eq!(plan.code, 2, "{}", plan.stderr);
    assert!(
        plan.stdout.contains("change  Deployment slipway-server: is made"),
        "{}",
        plan.stdout
    );

    let first = place.well(&["up", "--json", "--image", &image(0)]);
    assert_eq!(steps(&first.stdout), ALL);
    let summary: Value = serde_json::from_str(&first.stdout).unwrap();
    assert_eq!(summary["delivery"]["model"], "mnist:1", "{summary}");
    assert_eq!(summary["delivery"]["test"]["clean"]["failures"], 0, "{summary}");
    for step in ["download", "train", "upload", "deploy", "test"] {
        let told = first
            .stderr
            .lines()
            .any(|line| line.starts_with(step) && line.contains("MiB of memory at most"));
        assert!(told, "{step}: {}", first.stderr);
    }

    // What the cluster itself notes of a Job that has ended, it notes a moment later.
    place.kubectl(&["wait", "job", "--all", "--for=condition=complete", "--timeout=60s"]);
    let before = place.objects();
    let started = Instant::now();
    assert_eq!(
        steps(&place.well(&["up", "--json", "--image", &image(0)]).stdout),
        [""; 0]
    );
    let took = started.elapsed();
    assert_eq!(place.objects(), before);
    assert!(took < Duration::from_secs(3), "the second `up` took {took:?}");
    let plan = place.pipeline(&["plan", "--image", &image(0)]);
    assert_eq!(
        (plan.code, plan.stdout.contains("there is nothing to do")),
        (0, true),
        "{}",
        plan.stdout
    );

    let status = place.well(&["status"]).stdout;
    assert!(status.contains("mnist-app answers with mnist:1"), "{status}");
    let logs = place.well(&["logs", "train"]).stdout;
    assert!(logs.contains("150 steps"), "{logs}");
    check_forward(&place, summary["delivery"]["curl"].as_str().unwrap());

    place.well(&["down"]);
    let kinds = "all,pvc,secret,role,rolebinding,networkpolicy,lease,configmap";
    let left = place.kubectl(&["get", kinds, "--output", "name", "--ignore-not-found"]);
    assert_eq!(left, "");
}

/// A forwarded port answers what the summary says.
fn check_forward(place: &Place, curl: &str) {
    let forward = place.start(&["forward", "--port", "0"]);
    let url = patience("the forwarded port", Duration::from_secs(10), || {
        forward.stdout().split_whitespace().next().map(str::to_owned)
    });
    let shown = format!("http://127.0.0.1:{}", place.project.port);
    assert!(curl.contains(&shown), "{curl}");
    let answer = place.project.paste(&curl.replace(&shown, &url));
    assert!(answer["class_ids"][0][0].is_u64(), "{answer}");
}

#[test]
fn nobody_goes_without_an_answer_while_model_image_and_number_of_servers_change() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.up(0);
    let load = Load::start(&place);
    place.project.set("steps: 150", "steps: 160");
    let changed = place.up(0);
    assert_eq!(changed["delivery"]["model"], "mnist:2", "{changed}");
    load.check("another model");

    let load = Load::start(&place);
    place.project.set("replicas: 2", "replicas: 3");
    let renamed = place.well(&["up", "--json", "--image", &image(1)]);
    // The programs are the same, so nothing that they left is made again.
    assert_eq!(steps(&renamed.stdout), ["serve"], "{}", renamed.stderr);
    load.check("another image and one more server");
    // Pods that go on answering to their end are there for a few seconds.
    patience("three pods of the other image", Duration::from_secs(30), || {
        let images = place.kubectl(&[
            "get",
            "pods",
            "--selector=app.kubernetes.io/component=server",
            r#"--output=jsonpath={range .items[*]}{.spec.containers[0].image}{"\n"}{end}"#,
        ]);
        let is_new = images.lines().all(|running| running == image(1));
        (is_new && images.lines().count() == 3).then_some(())
    });
}

/// 200 requests a second through the Service, from a pod of the cluster.
pub(crate) struct Load<'a> {
    place: &'a Place,
}

impl<'a> Load<'a> {
    pub(crate) fn start(place: &'a Place) -> Self {
        place.kubectl(&["delete", "job", "load", "--ignore-not-found"]);
        let job = LOAD.replace("IMAGE", &image(0));
        place.kubectl_with(&["apply", "--filename", "-"], &job);
        place.kubectl(&[
            "wait",
            "--for=condition=Ready",
            "pod",
            "--selector=job-name=load",
            "--timeout=30s",
        ]);
        Self { place }
    }

    /// Ends it: nobody went without an answer.
    pub(crate) fn check(self, what: &str) {
        let pod = self
            .place
            .kubectl(&["get", "pods", "--selector=job-name=load", "--output=name"]);
        let pod = pod.trim();
        // Asked to end, it tells what came of it; so the pod must still be there afterwards.
        let lines = std::thread::scope(|scope| {
            let lines = scope.spawn(|| self.place.kubectl(&["logs", "--follow", pod]));
            self.place.kubectl(&["delete", pod, "--wait=false"]);
            lines.join().unwrap()
        });
        let result = lines
            .lines()
            .find(|line| line.starts_with('{'))
            .unwrap_or_else(|| panic!("{what}: {lines}"));
        let result: Value = serde_json::from_str(result).unwrap();
        assert_eq!(result["failures"], 0, "{what}: {result}");
        let rate = result["requests"].as_f64().unwrap() / result["seconds"].as_f64().unwrap();
        assert!(rate > 180.0, "{what}: only {rate:.0} requests a second: {result}");
    }
}

const LOAD: &str = r#"
apiVersion: batch/v1
kind: Job
metadata: {name: load}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {app.kubernetes.io/name: slipway, app.kubernetes.io/component: test}}
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 20
      securityContext:
        {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: load
        image: IMAGE
        command: [pipeline, load, --server, "http://slipway-server", --data-dir, /data, --seconds, "600"]
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        volumeMounts: [{name: work, mountPath: /data, subPath: data, readOnly: true}]
      volumes: [{name: work, persistentVolumeClaim: {claimName: slipway-work}}]
"#;
