//! What a person is told when something is wrong, and that `up` puts it right afterwards.

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use test_support::{OnDemand, patience};

use super::{
    place::{Place, image},
    told::told,
};

/// What is told within seconds of the start of a pod, and not after a time-out.
const SECONDS: Duration = Duration::from_secs(25);

#[test]
fn what_a_cluster_cannot_do_is_told_with_its_own_words_and_what_helps() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    let started = Instant::now();
    let wrong = place.pipeline(&["up", "--image", "localhost/nobody-has-this:1"]);
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    assert!(started.elapsed() < SECONDS, "{:?}: {}", started.elapsed(), wrong.stderr);
    expect![[r#"
        image    | waits: the image `localhost/nobody-has-this:1` cannot be had: REASON
        image    | hint: `--image` names an image that the nodes can pull, or that was loaded into them, with its tag or digest
        error: the image `localhost/nobody-has-this:1` cannot be had: REASON

        hint: `--image` names an image that the nodes can pull, or that was loaded into them, with its tag or digest
    "#]].assert_eq(&told(&place, &wrong.stderr));

    place.project.set("training_memory: 512Mi", "training_memory: 10Mi");
    let small = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(small.code, 1, "{}", small.stderr);
    expect![[r#"
        image    | took SIZE of memory at most, of 256Mi
        download runs: it has not finished before
        download | received 4 files
        download | took SIZE of memory at most, of 256Mi
        download done in SPAN
        train    runs: it has not finished before
        error: it was killed, because it took all of the memory that it may take, 10Mi

        hint: raise the key `kubernetes.training_memory` of `pipeline.yaml`
    "#]]
    .assert_eq(&told(&place, &small.stderr));
    place.project.set("training_memory: 10Mi", "training_memory: 512Mi");

    place.project.set("server_cpu: 100m", "server_cpu: 900000m");
    let greedy = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(greedy.code, 1, "{}", greedy.stderr);
    expect![[r#"
        download skipped: nothing has changed here (the server, which does not answer, was not asked) since MOMENT
        train    runs: it has not finished before
        train    | took SIZE of memory at most, of 512Mi
        train    done in SPAN
        serve    runs: it does not run
        serve    | waits: no node takes the pod: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
        serve    | hint: the keys `kubernetes.*_cpu` and `kubernetes.*_memory` of `pipeline.yaml` say what pods are promised; `kubectl describe nodes` shows what is left
        error: no node takes the pod: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.

        hint: the keys `kubernetes.*_cpu` and `kubernetes.*_memory` of `pipeline.yaml` say what pods are promised; `kubectl describe nodes` shows what is left
    "#]].assert_eq(&told(&place, &greedy.stderr));
    place.project.set("server_cpu: 900000m", "server_cpu: 100m");
    place.up(0);
}

#[test]
fn a_claim_that_no_volume_fits_is_told_with_what_the_cluster_says_of_it() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place
        .project
        .set("storage_class: null", "storage_class: nobody-has-this");
    place.project.set("ready_seconds: 30", "ready_seconds: 5");
    let outcome = place.pipeline(&["up", "--image", &image(0)]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    expect![[r#"
        image    | took SIZE of memory at most, of 256Mi
        download runs: it has not finished before
        download | waits: no node takes the pod: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found (claim `slipway-work`: storageclass.storage.k8s.io "nobody-has-this" not found; claim `slipway-registry`: storageclass.storage.k8s.io "nobody-has-this" not found)
        download | hint: the keys `kubernetes.storage_class`, `work_storage` and `access_mode` of `pipeline.yaml` must suit the cluster; `kubectl get storageclass` shows what it has
        error: no node takes the pod: 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found (claim `slipway-work`: storageclass.storage.k8s.io "nobody-has-this" not found; claim `slipway-registry`: storageclass.storage.k8s.io "nobody-has-this" not found)

        hint: the keys `kubernetes.storage_class`, `work_storage` and `access_mode` of `pipeline.yaml` must suit the cluster; `kubectl get storageclass` shows what it has
    "#]].assert_eq(&told(&place, &outcome.stderr));
    // The class of a claim is for good.
    place.well(&["down"]);
    place
        .project
        .set("storage_class: nobody-has-this", "storage_class: null");
    place.project.set("ready_seconds: 5", "ready_seconds: 30");
    place.up(0);
}

/// Whoever runs the cluster may allow less than a delivery asks for.
#[test]
fn what_a_namespace_does_not_allow_is_told_with_the_rule() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.up(0);
    place.project.set("steps: 150", "steps: 160");
    let check = |expected: Expect| {
        let started = Instant::now();
        let outcome = place.pipeline(&["up", "--image", &image(0)]);
        let took = started.elapsed();
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        assert!(took < SECONDS, "{took:?}: {}", outcome.stderr);
        expected.assert_eq(&told(&place, &outcome.stderr));
    };
    place.kubectl_with(&["apply", "--filename", "-"], QUOTA);
    // Before the cluster has counted, it says only that it has not.
    patience("the quota", Duration::from_secs(30), || {
        let used = place.kubectl(&["get", "quota", "narrow", "--output=jsonpath={.status.used}"]);
        (!used.is_empty()).then_some(())
    });
    check(expect![[r#"
        download skipped: nothing has changed since MOMENT
        train    runs: steps changed from 150 to 160
        train    | waits: no pod is made: Error creating: pods "slipway-train-RUN-KEY-ATTEMPT-POD" is forbidden: exceeded quota: narrow, requested: requests.memory=512Mi, used: requests.memory=512Mi, limited: requests.memory=100Mi
        train    | hint: the quota of the namespace leaves too little: lower `kubernetes.*_cpu`, `kubernetes.*_memory` or `kubernetes.replicas` in `pipeline.yaml`, or have it raised
        error: no pod is made: Error creating: pods "slipway-train-RUN-KEY-ATTEMPT-POD" is forbidden: exceeded quota: narrow, requested: requests.memory=512Mi, used: requests.memory=512Mi, limited: requests.memory=100Mi

        hint: the quota of the namespace leaves too little: lower `kubernetes.*_cpu`, `kubernetes.*_memory` or `kubernetes.replicas` in `pipeline.yaml`, or have it raised
    "#]]);
    place.kubectl(&["delete", "quota", "narrow"]);
    place.kubectl_with(&["apply", "--filename", "-"], RANGE);
    check(expect![[r#"
        download skipped: nothing has changed since MOMENT
        train    runs: steps changed from 150 to 160
        train    | waits: no pod is made: Error creating: pods "slipway-train-RUN-KEY-ATTEMPT-POD" is forbidden: maximum memory usage per Container is 100Mi, but limit is 512Mi
        train    | hint: `kubectl describe` in the namespace shows all that led to this
        error: no pod is made: Error creating: pods "slipway-train-RUN-KEY-ATTEMPT-POD" is forbidden: maximum memory usage per Container is 100Mi, but limit is 512Mi

        hint: `kubectl describe` in the namespace shows all that led to this
    "#]]);
    place.kubectl(&["delete", "limitrange", "narrow"]);

    place.kubectl_with(&["apply", "--filename", "-"], &POLICY.replace("NAME", &place.namespace));
    // The API server learns of a rule, and of its end, a moment later.
    let is_denied = || {
        let job = [
            "create",
            "job",
            "probe",
            "--image=none:1",
            "--dry-run=server",
            "--output=name",
        ];
        place.kubectl_whatever(&job).is_empty()
    };
    patience("the rule", Duration::from_secs(60), || is_denied().then_some(()));
    let denied = place.pipeline(&["up", "--image", &image(0)]);
    let rule = "validatingadmissionpolicy,validatingadmissionpolicybinding";
    place.kubectl(&["delete", rule, &place.namespace]);
    patience("the end of the rule", Duration::from_secs(60), || {
        (!is_denied()).then_some(())
    });
    assert_eq!(denied.code, 1, "{}", denied.stderr);
    expect![[r#"
        download skipped: nothing has changed since MOMENT
        train    runs: steps changed from 150 to 160
        error: the cluster refuses Job `slipway-train-RUN-KEY-ATTEMPT`: jobs.batch "slipway-train-RUN-KEY-ATTEMPT" is forbidden: ValidatingAdmissionPolicy 'NAMESPACE' with binding 'NAMESPACE' denied request: no Jobs on Fridays

        hint: whoever runs the cluster has made that rule, and can change it or make an exception
    "#]].assert_eq(&told(&place, &denied.stderr));
    place.up(0);
}

const QUOTA: &str = r#"
apiVersion: v1
kind: ResourceQuota
metadata: {name: narrow}
spec: {hard: {requests.memory: 100Mi}}
"#;

const RANGE: &str = r#"
apiVersion: v1
kind: LimitRange
metadata: {name: narrow}
spec: {limits: [{type: Container, max: {memory: 100Mi}}]}
"#;

const POLICY: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NAME}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [batch], apiVersions: [v1], operations: [CREATE], resources: [jobs]}]
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAME}}
  validations: [{expression: "false", message: "no Jobs on Fridays"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NAME}
spec: {policyName: NAME, validationActions: [Deny]}
"#;

/// What is not asked for any more does not stay behind.
#[test]
fn load_decides_how_many_servers_there_are_for_as_long_as_it_shall() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let place = Place::new();
    place.project.set("replicas_max: null", "replicas_max: 4");
    place.up(0);
    let columns = "--output=jsonpath={.spec.scaleTargetRef.name} {.spec.minReplicas}-{.spec.maxReplicas}";
    assert_eq!(
        place.kubectl(&["get", "hpa", "slipway-server", columns]),
        "slipway-server 2-4"
    );
    // The cluster counts the pods of a budget a moment after they are there.
    let budgeted = [
        "get",
        "pdb",
        "slipway-server",
        "--output=jsonpath={.status.expectedPods}",
    ];
    patience("the budget for two servers", Duration::from_secs(60), || {
        (place.kubectl(&budgeted) == "2").then_some(())
    });
    place.project.set("replicas_max: 4", "replicas_max: null");
    let plan = place.pipeline(&["plan", "--image", &image(0)]);
    let goes = "change  HorizontalPodAutoscaler slipway-server: goes";
    assert!(
        plan.code == 2 && plan.stdout.contains(goes),
        "{}{}",
        plan.stdout,
        plan.stderr
    );
    place.up(0);
    assert_eq!(place.kubectl(&["get", "hpa", "--output=name"]), "");
}
