//! The real `hs` 0.1.3 against a server of its own, and scripts that make the calls of the original's client.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by its attribute, not the functions that several tests share"
)]

mod tensorflow;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use expect_test::expect;
use formats::digest::Digest;
use model::{Artifact, export};
use serde_json::Value;
use test_support::{Digits, OnDemand, Outcome, Python, Running, Workspace};

use super::packed;
use crate::{process::start, support::artifact, trained};

/// Longest time of one command; one that waits for a build sleeps five seconds of its own accord.
const COMMAND_MAX: Duration = Duration::from_secs(120);
/// The runtime that the tutorial names.
const RUNTIME: &str = "hydrosphere/serving-runtime-tensorflow:1.7.0-latest";

/// A server that knows nothing yet, and somebody with `hs` and a folder.
struct Subject {
    workspace: Workspace,
    python: Python,
    _server: Running,
    address: String,
}

impl Subject {
    /// With a cluster that is called with a slash at its end, as the original's documents do it.
    fn new() -> Self {
        let workspace = Workspace::new();
        let registry = workspace.join("registry");
        let (server, address) = start(registry.to_str().unwrap(), &[]);
        let subject = Self {
            workspace,
            python: Python::with(&beside("hs.txt")),
            _server: server,
            address,
        };
        let url = format!("http://{}/", subject.address);
        let added = subject.succeed("", &["cluster", "add", "--name", "local", "--server", &url]);
        assert!(added.contains("added successfully"), "{added}");
        let used = subject.succeed("", &["cluster", "use", "local"]);
        assert!(used.contains("Switched to cluster 'local'"), "{used}");
        subject
    }

    /// Runs `hs` in a folder of the workspace.
    fn hs(&self, folder: &str, arguments: &[&str]) -> Outcome {
        let mut command = self.workspace.command(&self.python.program("hs"));
        command.current_dir(self.workspace.join(folder)).args(arguments);
        command.env("NO_PROXY", "127.0.0.1").env("LC_ALL", "C.UTF-8");
        Running::start(&mut command).wait(COMMAND_MAX)
    }

    #[track_caller]
    fn succeed(&self, folder: &str, arguments: &[&str]) -> String {
        let outcome = self.hs(folder, arguments);
        assert_eq!(outcome.code, 0, "{arguments:?}\n{}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// Applies a manifest with this text.
    fn apply(&self, manifest: &str) -> Outcome {
        self.workspace.write("manifest.yaml", manifest.as_bytes());
        self.hs("", &["apply", "-f", "manifest.yaml"])
    }

    #[track_caller]
    fn applied(&self, manifest: &str) -> String {
        let outcome = self.apply(manifest);
        assert_eq!(outcome.code, 0, "{manifest}\n{}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// The answer to a request, as JSON, and its head.
    fn ask(&self, method: &str, path: &str, body: &str) -> (String, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let n_bytes = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {n_bytes}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.to_owned(),
            serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")),
        )
    }

    fn listed(&self, path: &str) -> Vec<Value> {
        let (_, Value::Array(listed)) = self.ask("GET", path, "") else {
            panic!("{path} is no list")
        };
        listed
    }

    /// Which version answers.
    fn version(&self, application: &str, signature: &str) -> String {
        let images = crate::support::images(1, "0");
        let (head, _) = self.ask(
            "POST",
            &format!("/gateway/applications/{application}/{signature}"),
            &images,
        );
        let header = head.lines().find_map(|line| line.strip_prefix("x-model-version: "));
        header.unwrap_or_else(|| panic!("{head}")).to_owned()
    }

    /// Writes a model that tells drawn digits apart into a folder, as TensorFlow would.
    fn saved_model(&self, folder: &str) {
        let bytes = trained::artifact();
        let artifact = Artifact::read(&bytes).unwrap();
        for file in export::saved_model(&artifact, &Digest::of(&bytes)) {
            self.workspace.write(&format!("{folder}/{}", file.path), &file.bytes);
        }
    }

    /// Pixels and labels of drawn digits, for scripts.
    fn digits(&self, n_images: usize, seed: u64) -> Vec<f32> {
        let digits = Digits::draw(n_images, seed);
        let images: Vec<f32> = digits.images.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        let bytes: Vec<u8> = images.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        self.workspace.write("images.f32", &bytes);
        self.workspace.write("labels.u8", &digits.labels);
        images
    }

    /// What the original's client measures.
    fn accuracies(&self, application: &str, signature: &str) -> Value {
        let address = format!("http://{}", self.address);
        let arguments = [&address, application, signature, "images.f32", "labels.u8"];
        let text = self.python.run(&self.workspace, &beside("client.py"), &arguments);
        serde_json::from_str(&text).unwrap()
    }
}

/// A file that lies beside this one.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/hs/peers")
        .join(name)
}

/// The tutorial's manifest.
fn singular(application: &str, model: &str) -> String {
    format!("kind: Application\nname: {application}\nsingular:\n  model: {model}\n  runtime: {RUNTIME}\n")
}

#[test]
fn hs_uploads_applies_and_applies_again() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let subject = Subject::new();
    subject.saved_model("saved");
    let uploaded = subject.succeed("saved", &["upload", "--name", "mnist"]);
    assert!(uploaded.contains("Success response"), "{uploaded}");
    let manifest = singular("mnist-app", "mnist:1");
    subject.applied(&manifest);
    let applications = subject.listed("/api/v1/applications");
    assert_eq!(applications.len(), 1);
    // The same again is a PUT with the id, and of what is deployed nothing changes.
    let again = subject.applied(&manifest);
    assert!(again.contains(&format!("'id': {}", applications[0]["id"])), "{again}");
    assert_eq!(subject.listed("/api/v1/applications"), applications);

    // The folder has another time in its archive, and is a version of its own.
    subject.succeed("saved", &["upload", "--name", "mnist"]);
    let versions = subject.listed("/api/v1/model/version");
    let numbers: Vec<_> = versions
        .iter()
        .map(|version| version["modelVersion"].as_u64())
        .collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    assert_eq!(versions[0]["model"]["id"], versions[1]["model"]["id"]);
    subject.applied(&manifest);
    assert_eq!(subject.version("mnist-app", "predict"), "mnist:1");
    subject.applied(&singular("mnist-app", "mnist:2"));
    assert_eq!(subject.version("mnist-app", "predict"), "mnist:2");

    subject.digits(150, 2);
    let accuracies = subject.accuracies("mnist-app", "predict");
    assert!(accuracies["clean"].as_f64().unwrap() > 0.6, "{accuracies}");
    assert!(accuracies["noisy"].as_f64().is_some(), "{accuracies}");
}

#[test]
fn hs_applies_stages_streams_and_monitoring() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let subject = Subject::new();
    subject.saved_model("saved");
    for _ in 0..2 {
        subject.succeed("saved", &["upload", "--name", "mnist"]);
    }
    let service = |version: u32, weight: u32| {
        format!("    - model: mnist:{version}\n      runtime: {RUNTIME}\n      weight: {weight}\n")
    };
    let manifest = format!(
        "kind: Application\nname: split\nstreaming:\n- in-topic: in\n  out-topic: out\npipeline:\n- signature: predict\n  monitoring:\n  - name: ks\n    input: imgs\n    type: Kolmogorov-Smirnov\n    healthcheck: {{enabled: true, threshold: 0.1}}\n  modelservices:\n{}{}",
        service(1, 0),
        service(2, 100)
    );
    let applied = subject.applied(&manifest);
    assert!(applied.contains("`kafkaStreaming` is not carried out"), "{applied}");
    assert_eq!(subject.version("split", "split"), "mnist:2");
    let aggregations = subject.listed("/monitoring/aggregations");
    assert_eq!(aggregations.len(), 1);
    assert_eq!(aggregations[0]["name"], "ks");

    // A second stage that takes images finds none in what the first one gives.
    let second = format!("- signature: predict\n  model: mnist:1\n  runtime: {RUNTIME}\n");
    let refused = subject.apply(&format!("{}{second}", manifest.replace("name: split", "name: row")));
    assert_eq!(refused.code, 1, "{}\n{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains("it takes `imgs`, the stage before gives"),
        "{}",
        refused.stderr
    );

    let missing = subject.apply(&singular("other", "mnist:7"));
    assert_eq!(missing.code, 255, "{}", missing.stderr);
    let runtime = "kind: Runtime\nname: mine\nversion: latest\nmodel-type: tensorflow:1.7.0\n";
    subject.applied(runtime);
    let again = subject.applied(runtime);
    assert!(again.contains("already exists"), "{again}");
}

#[test]
fn hs_sends_a_contract_that_is_kept_and_an_archive_that_is_refused() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let subject = Subject::new();
    subject.saved_model(".");
    let manifest = "kind: Model\nname: mnist\nmodel-type: tensorflow:2.15.1\npayload:\n- saved_model.pb\n- variables\ncontract:\n  predict:\n    inputs:\n      imgs: {shape: [-1, 28, 28], type: float32, profile: image}\n    outputs:\n      class_ids: {shape: [-1, 1], type: int64}\n";
    subject.applied(manifest);
    let sent = subject.workspace.files(".hs");
    let sent = sent.iter().find(|path| path.ends_with("contract.protobin")).unwrap();
    let entry: Value =
        serde_json::from_slice(&fs::read(subject.workspace.join("registry/journal/00000001.json")).unwrap()).unwrap();
    let kept = entry["event"]["uploaded"]["contract"].as_str().unwrap();
    assert_eq!(BASE64_STANDARD.decode(kept).unwrap(), subject.workspace.read(sent));
    subject.applied(&singular("mnist-app", "mnist:1"));
    let path = "/gateway/applications/mnist-app/predict";
    let (_, answer) = subject.ask("POST", path, &crate::support::images(1, "0"));
    let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["class_ids"]);

    subject.workspace.write("broken/README", b"no model");
    let refused = subject.hs("broken", &["upload", "--name", "broken"]);
    assert_eq!(refused.code, 1, "{}", refused.stdout);
    let last = refused.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("expected `saved_model.pb` or one file"), "{last}");
    let refused = subject.apply("kind: Model\nname: broken\npayload:\n- broken/README\n");
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    assert_eq!(subject.listed("/api/v1/model").len(), 1);
}

#[test]
fn hs_is_told_that_no_profile_is_computed_and_does_not_wait_for_one() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let subject = Subject::new();
    subject.saved_model("saved");
    subject.succeed("saved", &["upload", "--name", "mnist"]);
    // Longer than what fits into the buffers of a socket: it is refused while it is still being sent.
    subject.workspace.write("train.csv", &b"0,1,2,3\n".repeat(1 << 20));
    let refused = subject.hs("", &["profile", "push", "--model-version", "mnist:1", "train.csv"]);
    assert_eq!(refused.code, 1, "{}\n{}", refused.stdout, refused.stderr);
    let last = refused.stderr.lines().last().unwrap_or_default();
    assert!(last.contains("data profiles are not computed here"), "{last}");
}

#[test]
fn every_call_that_the_packages_of_hs_have_is_answered() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let subject = Subject::new();
    let payload = packed(&[("model.safetensors", &artifact(3))]);
    subject.workspace.write("payload.tar.gz", &payload);
    let address = format!("http://{}", subject.address);
    let text = subject
        .python
        .run(&subject.workspace, &beside("library.py"), &[&address]);
    // Where another release of `hs` has another path, the script lacks a call.
    expect![[r#"["/api/v1/applications", "/api/v1/applications/serve/{0}/{1}", "/api/v1/environment", "/api/v1/model", "/api/v1/model/build", "/api/v1/model/build/", "/api/v1/model/upload", "/api/v1/model/version", "/api/v1/modelSource", "/api/v1/runtime", "/api/v1/runtime/status/", "/monitoring/aggregations", "/monitoring/aggregations/", "/profiler/batch/{}/csv", "/profiler/batch/{}/status"]"#]].assert_eq(text.lines().last().unwrap_or_default());
}

/// The text of the first block of a language in `docs/hs.md`.
fn block(language: &str) -> String {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hs.md");
    let document = fs::read_to_string(document).unwrap();
    let (_, after) = document.split_once(&format!("```{language}\n")).unwrap();
    after.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_commands_of_the_document_work_as_they_are() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let subject = Subject::new();
    subject.saved_model("model");
    let text = block("sh").replace("127.0.0.1:8080", &subject.address);
    // Only what stands in the document is to be known to `hs`.
    fs::remove_dir_all(subject.workspace.join(".hs-home")).unwrap();
    subject
        .workspace
        .write("model/application.yaml", block("yaml").as_bytes());
    for line in text.lines() {
        let mut command = subject.workspace.command(Path::new("sh"));
        let program = subject.python.program("hs");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().unwrap().display());
        command.current_dir(subject.workspace.join("model")).args(["-c", line]);
        command
            .env("PATH", path)
            .env("NO_PROXY", "127.0.0.1")
            .env("LC_ALL", "C.UTF-8");
        let outcome = Running::start(&mut command).wait(COMMAND_MAX);
        assert_eq!(outcome.code, 0, "{line}\n{}\n{}", outcome.stdout, outcome.stderr);
        assert!(!outcome.stdout.is_empty(), "{line} prints nothing");
    }
    assert_eq!(subject.version("tutorial", "predict"), "digits:1");
}
