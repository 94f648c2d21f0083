//! A delivery whose registry is in a bucket, kept by a service of other people in the same namespace.

use std::{fs, process::Command, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use test_support::{OnDemand, Running, patience};

use super::{
    delivery::ALL,
    place::{Place, image, variable},
};
use crate::{
    bucket::gateway::{self, KEY_ID, SECRET_KEY},
    project::{RUN_MAX, steps},
};

/// The image that this test makes of the service.
const GATEWAY_IMAGE: &str = "versitygw:1.8.0";
const START_MAX: Duration = Duration::from_secs(60);

/// The servers have no volume: whatever they know of models comes from the bucket, over TLS, with an authority of our own.
#[test]
fn servers_without_a_volume_follow_a_bucket() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    // Somebody else's, who allows nothing that is not needed.
    place.kubectl(&["create", "namespace", &place.namespace]);
    place.kubectl(&[
        "label",
        "namespace",
        &place.namespace,
        "pod-security.kubernetes.io/enforce=restricted",
    ]);
    start_gateway(&place);
    for (old, new) in [
        ("registry: registry", "registry: s3://models/team-a"),
        ("registry_endpoint: null", "registry_endpoint: https://bucket:7070"),
        ("registry_credentials: null", "registry_credentials: bucket"),
        ("registry_certificates: null", "registry_certificates: bucket"),
    ] {
        place.project.set(old, new);
    }
    let up = || steps(&place.well(&["up", "--json", "--image", &image(0)]).stdout);
    assert_eq!(up(), ALL);
    assert_eq!(up(), [""; 0]);
    let claims = place.kubectl(&["get", "pvc", "--output=name"]);
    assert_eq!(claims, "persistentvolumeclaim/slipway-work\n");

    // Other pods than those that took the upload know what was deployed.
    let servers = "--selector=app.kubernetes.io/component=server";
    place.kubectl(&["delete", "pods", servers, "--wait=false"]);
    place.kubectl(&["rollout", "status", "deployment/slipway-server", "--timeout=60s"]);
    let status = place.well(&["status"]).stdout;
    assert!(status.contains("mnist-app answers with mnist:1"), "{status}");
    place.project.set("learning_rate: null", "learning_rate: 0.02");
    assert_eq!(up(), ["train", "upload", "deploy", "test"]);
    // No log has the key.
    let logs = place.kubectl(&["logs", servers, "--tail=-1"]);
    assert!(logs.contains("listening on") && !logs.contains(SECRET_KEY), "{logs}");

    place.well(&["down"]);
    let gateway = place.kubectl(&["get", "deployment", "--output=name"]);
    assert_eq!(
        gateway, "deployment.apps/bucket\n",
        "`down` leaves what it did not make"
    );
    place.kubectl(&["delete", "namespace", &place.namespace, "--wait=false"]);
}

/// Versity's gateway with one empty bucket, the credentials for it, and a certificate that nobody else has signed.
fn start_gateway(place: &Place) {
    let workspace = &place.project.workspace;
    fs::create_dir(workspace.join("image")).unwrap();
    fs::copy(gateway::program(), workspace.join("image/versitygw")).unwrap();
    workspace.write(
        "image/Dockerfile",
        b"FROM scratch\nCOPY versitygw /\nENTRYPOINT [\"/versitygw\"]\n",
    );
    for line in [
        format!("docker build --quiet --tag {GATEWAY_IMAGE} image"),
        format!("{} {GATEWAY_IMAGE}", variable("CLUSTER_LOAD")),
    ] {
        let mut command = Command::new("sh");
        command.args(["-ec", &line]).current_dir(workspace.path());
        let outcome = Running::start(&mut command).wait(RUN_MAX);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
    }
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["bucket".to_owned()]).unwrap();
    let certificate = workspace.write("certificate.pem", cert.pem().as_bytes());
    let key = workspace.write("key.pem", signing_key.serialize_pem().as_bytes());
    let (certificate, key) = (certificate.display(), key.display());
    place.kubectl(&[
        "create",
        "configmap",
        "bucket",
        &format!("--from-file=ca.crt={certificate}"),
    ]);
    place.kubectl(&[
        "create",
        "secret",
        "generic",
        "bucket",
        &format!("--from-file=certificate={certificate}"),
        &format!("--from-file=key={key}"),
        &format!("--from-literal=AWS_ACCESS_KEY_ID={KEY_ID}"),
        &format!("--from-literal=AWS_SECRET_ACCESS_KEY={SECRET_KEY}"),
    ]);
    place.kubectl_with(&["create", "--filename", "-"], &GATEWAY.replace("IMAGE", GATEWAY_IMAGE));
    patience("the gateway", START_MAX, || {
        let columns = "--output=jsonpath={.status.readyReplicas}";
        (place.kubectl(&["get", "deployment", "bucket", columns]) == "1").then_some(())
    });
}

/// A folder below its own is a bucket.
const GATEWAY: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: bucket}
spec: {selector: {app: bucket}, ports: [{port: 7070}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bucket}
spec:
  selector: {matchLabels: {app: bucket}}
  template:
    metadata: {labels: {app: bucket}}
    spec:
      automountServiceAccountToken: false
      securityContext:
        {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: gateway
        image: IMAGE
        imagePullPolicy: IfNotPresent
        args: [--quiet, --port, ":7070", --cert, /keys/certificate, --key, /keys/key, posix, --sidecar, /aside, /buckets]
        env:
        - {name: ROOT_ACCESS_KEY, valueFrom: {secretKeyRef: {name: bucket, key: AWS_ACCESS_KEY_ID}}}
        - {name: ROOT_SECRET_KEY, valueFrom: {secretKeyRef: {name: bucket, key: AWS_SECRET_ACCESS_KEY}}}
        readinessProbe: {tcpSocket: {port: 7070}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        volumeMounts:
        - {name: keys, mountPath: /keys, readOnly: true}
        - {name: aside, mountPath: /aside}
        - {name: buckets, mountPath: /buckets}
        - {name: models, mountPath: /buckets/models}
      volumes:
      - {name: keys, secret: {secretName: bucket}}
      - {name: aside, emptyDir: {}}
      - {name: buckets, emptyDir: {}}
      - {name: models, emptyDir: {}}
"#;
