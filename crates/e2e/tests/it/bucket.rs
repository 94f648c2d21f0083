//! A registry in a bucket: a delivery on this machine, and servers that share nothing but the bucket.

pub(crate) mod gateway;

use std::time::Duration;

use serde_json::Value;
use test_support::{BucketFault, BucketServer, OnDemand, Running, patience, program};

use crate::project::{Project, RUN_MAX, steps};

use gateway::Gateway;

const ALL: [&str; 6] = ["download", "train", "serve", "upload", "deploy", "test"];
const REGISTRY: &str = "s3://models/team-a";
/// Longest time in which a server notices what another one deployed; it looks every second.
const FOLLOW_MAX: Duration = Duration::from_secs(30);

pub(crate) type Environment = Vec<(String, String)>;

/// A server beside that of the delivery, on the same registry.
struct Replica {
    _running: Running,
    address: String,
}

impl Replica {
    fn start(project: &Project, environment: &Environment) -> Self {
        let mut command = project.workspace.command(&program("server"));
        command.args(["--listen", "127.0.0.1:0", "--registry", REGISTRY]);
        let running = Running::start(command.envs(environment.iter().cloned()));
        let address = patience("the address", RUN_MAX, || {
            let log = running.stderr();
            let after = log.split_once("listening on http://")?.1;
            Some(after.split_once(',')?.0.to_owned())
        });
        Self {
            _running: running,
            address,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until it answers with this version.
    #[track_caller]
    fn follows(&self, project: &Project, version: &str) {
        patience(&format!("{version} at another server"), FOLLOW_MAX, || {
            (predicted_by(project, &self.url("")) == version).then_some(())
        });
    }
}

/// The version that answers at `server`, or the status of an answer that is none.
fn predicted_by(project: &Project, server: &str) -> String {
    let body = project.workspace.read(".pipeline/results/example.json");
    let url = format!("{server}/gateway/applications/mnist-app/predict");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = agent.post(&url).content_type("application/json").send(&body).unwrap();
    match answer.headers().get("x-model-version") {
        Some(version) => version.to_str().unwrap().to_owned(),
        None => answer.status().to_string(),
    }
}

/// Status and body of an answer.
fn ask(url: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.get(url).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// A project whose registry is in the bucket, and what its programs have to know of it.
fn project(environment: Environment) -> Project {
    let project = Project::new().with_environment(environment);
    project.set("registry: registry", &format!("registry: {REGISTRY}"));
    project
}

/// A delivery, a second one that has nothing to do, two servers that follow, a new version, and the way back.
fn deliver(environment: Environment) {
    let project = project(environment.clone());
    assert_eq!(steps(&project.well(&["up", "--json"])), ALL);
    assert_eq!(steps(&project.well(&["up", "--json"])), [""; 0]);
    assert!(!project.workspace.join("registry").exists(), "no folder is made");

    let replicas = [(); 2].map(|()| Replica::start(&project, &environment));
    for replica in &replicas {
        replica.follows(&project, "mnist:1");
    }
    project.set("learning_rate: null", "learning_rate: 0.02");
    let second = steps(&project.well(&["up", "--json"]));
    assert_eq!(second, ["train", "upload", "deploy", "test"]);
    for replica in &replicas {
        replica.follows(&project, "mnist:2");
    }
    project.well(&["rollback", "--server", &replicas[0].url("")]);
    for replica in &replicas {
        replica.follows(&project, "mnist:1");
    }
    patience("the way back at the first server", FOLLOW_MAX, || {
        (project.deployed() == "mnist:1").then_some(())
    });
    // Whoever takes the upload, the numbers are those of one registry.
    let artifact = project.workspace.read("models/mnist/mnist.safetensors");
    let url = replicas[1].url("/api/models/mnist/versions");
    let mut answer = ureq::post(&url).send(&artifact).unwrap();
    let version: Value = answer.body_mut().read_json().unwrap();
    assert_eq!(version["model"], "mnist:3");
    assert_eq!(project.versions(), ["mnist:1", "mnist:2", "mnist:3"]);

    // What was asked for goes, what is shared stays.
    let down = project.pipeline(&["down", "--all"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert!(
        down.stderr
            .contains(&format!("the registry `{REGISTRY}` stays as it is")),
        "{}",
        down.stderr
    );
    assert_eq!(ask(&replicas[0].url("/api/models/mnist/versions/3")).0, 200);
}

#[test]
fn a_delivery_into_a_bucket_is_followed_by_every_server() {
    let server = BucketServer::start("models");
    deliver(server.environment());
    let keys: Vec<String> = server.objects().into_keys().collect();
    assert!(keys.iter().all(|key| key.starts_with("team-a/")), "{keys:?}");
    assert!(
        keys.contains(&"team-a/models/mnist/versions/00000003.json".to_owned()),
        "{keys:?}"
    );
}

/// The same with a service of other people, which checks every signature, over TLS with a certificate of its own.
#[test]
fn a_delivery_into_the_bucket_of_a_real_service_is_followed_by_every_server() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let gateway = Gateway::start("models");
    deliver(gateway.environment());
    assert!(
        gateway
            .keys()
            .contains(&"team-a/models/mnist/versions/00000003.json".to_owned())
    );
}

#[test]
fn predictions_go_on_while_the_bucket_is_away_and_management_says_why_not() {
    let server = BucketServer::start("models");
    let project = project(server.environment());
    project.well(&["up"]);
    server.fault(Some(BucketFault::Refuse(503, "SlowDown")));
    let (status, body) = ask(&project.url("/api/models"));
    assert_eq!(status, 503);
    let endpoint = server.endpoint();
    assert!(
        body.contains(&format!(
            "the registry cannot be used: bucket `models` ({endpoint}): cannot list `team-a/models/`: expected success, found \
             status 503: `SlowDown`"
        )),
        "{body}"
    );
    let reachable = |value: u8| {
        patience("the metric", FOLLOW_MAX, || {
            let (_, metrics) = ask(&project.url("/metrics"));
            metrics
                .contains(&format!("\nslipway_registry_reachable {value}\n"))
                .then_some(())
        });
    };
    reachable(0);
    assert_eq!(predicted_by(&project, &project.url("")), "mnist:1");
    assert_eq!(ask(&project.url("/readyz")).0, 200);
    server.fault(None);
    reachable(1);
    assert_eq!(ask(&project.url("/api/models")).0, 200);
    let log = String::from_utf8(project.workspace.read(".pipeline/service/server.log")).unwrap();
    assert!(!log.contains(BucketServer::SECRET_KEY), "{log}");
}

#[test]
fn a_delivery_with_the_wrong_key_ends_with_the_reason() {
    let server = BucketServer::start("models");
    let mut environment = server.environment();
    for (name, value) in &mut environment {
        if name == "AWS_SECRET_ACCESS_KEY" {
            "guessed".clone_into(value);
        }
    }
    let project = project(environment);
    project.set("ready_seconds: 30", "ready_seconds: 2");
    let outcome = project.pipeline(&["up"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("expected credentials that may do this, found `SignatureDoesNotMatch`"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("guessed"), "{}", outcome.stderr);
}
