//! A namespace of its own in the cluster, and a folder from which it is delivered to.

use std::{
    env,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;
use test_support::{Outcome, Running, program};

use super::relay::Relay;
use crate::project::{Project, RUN_MAX};

/// A namespace, which is removed with what is in it.
pub(crate) struct Place {
    pub(crate) project: Project,
    pub(crate) namespace: String,
    /// How the pipeline reaches the cluster.
    kubeconfig: PathBuf,
}

/// One of the images that the cluster has: 0 or 1.
pub(crate) fn image(index: usize) -> String {
    let images = variable("CLUSTER_IMAGES");
    let image = images.split_whitespace().nth(index);
    image
        .unwrap_or_else(|| panic!("CLUSTER_IMAGES names two images, found `{images}`"))
        .to_owned()
}

pub(crate) fn variable(name: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let value = env::var(name);
    value.unwrap_or_else(|_| panic!("{name} is not set, see kubernetes.rs"))
}

impl Place {
    /// Drawn digits and few steps, in a namespace that nobody else has.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            project: Project::new(),
            namespace: format!("slipway-test-{}-{number}", std::process::id()),
            kubeconfig: variable("KUBECONFIG").into(),
        }
    }

    /// The same, reached by a way that can be cut.
    pub(crate) fn behind_a_relay() -> (Self, Relay) {
        let text = std::fs::read_to_string(variable("KUBECONFIG")).unwrap();
        let address = text
            .split("https://")
            .nth(1)
            .and_then(|rest| rest.split(['"', '\n', '}']).next());
        let address = address.expect("a kubeconfig has the server's address");
        let relay = Relay::start(address);
        let mut place = Self::new();
        let text = text.replace(address, &format!("127.0.0.1:{}", relay.port()));
        place.kubeconfig = place.project.workspace.write("kubeconfig", text.as_bytes());
        (place, relay)
    }

    /// `pipeline COMMAND --target kubernetes` with what every command takes.
    fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let target: &[&str] = match arguments[0] {
            "forward" => &["--namespace", &self.namespace],
            _ => &["--target", "kubernetes", "--namespace", &self.namespace],
        };
        [arguments, target].concat()
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.project.workspace.command(&program("pipeline"));
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .args(self.arguments(arguments));
        Running::start(&mut command)
    }

    pub(crate) fn pipeline(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).wait(RUN_MAX)
    }

    #[track_caller]
    pub(crate) fn well(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.pipeline(arguments);
        assert_eq!(outcome.code, 0, "{arguments:?}: {}\n{}", outcome.stdout, outcome.stderr);
        outcome
    }

    /// `pipeline up --json` with one of the images, which must end well.
    #[track_caller]
    pub(crate) fn up(&self, index: usize) -> Value {
        let outcome = self.well(&["up", "--json", "--image", &image(index)]);
        serde_json::from_str(&outcome.stdout).unwrap()
    }

    /// `kubectl` in the namespace: what it prints. It must end well.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.kubectl_with(arguments, "")
    }

    /// The same, with text to read.
    #[track_caller]
    pub(crate) fn kubectl_with(&self, arguments: &[&str], input: &str) -> String {
        self.run_kubectl(arguments, input).0
    }

    /// The same, with what it complains about.
    #[track_caller]
    pub(crate) fn kubectl_both(&self, arguments: &[&str]) -> (String, String) {
        self.run_kubectl(arguments, "")
    }

    /// What it prints, however it ends: an answer of no is one, too.
    pub(crate) fn kubectl_whatever(&self, arguments: &[&str]) -> String {
        let output = Command::new("kubectl")
            .env("KUBECONFIG", variable("KUBECONFIG"))
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// How the cluster is reached.
    pub(crate) fn kubeconfig(&self) -> String {
        variable("KUBECONFIG")
    }

    #[track_caller]
    fn run_kubectl(&self, arguments: &[&str], input: &str) -> (String, String) {
        let path = self.project.workspace.write("input.yaml", input.as_bytes());
        let output = Command::new("kubectl")
            .env("KUBECONFIG", variable("KUBECONFIG"))
            .args(["--namespace", &self.namespace])
            .args(arguments)
            .stdin(std::fs::File::open(path).unwrap())
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {complaint}");
        (String::from_utf8(output.stdout).unwrap(), complaint.into_owned())
    }

    /// Every object of ours as `kind/name resourceVersion`.
    pub(crate) fn objects(&self) -> String {
        let kinds = "deployment,job,service,pvc,secret,configmap,serviceaccount,networkpolicy,pdb,lease";
        let columns = r#"jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\n"}{end}"#;
        self.kubectl(&[
            "get",
            kinds,
            "--selector",
            "app.kubernetes.io/name=slipway",
            "--output",
            columns,
        ])
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A second panic would hide the first.
        let mut down = self.project.workspace.command(&program("pipeline"));
        let down = down.env("KUBECONFIG", variable("KUBECONFIG"));
        let _ = down.args(self.arguments(&["down"])).output();
    }
}
