//! A folder in which deliveries run: drawn digits in place of MNIST, few steps, a port of its own.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use test_support::{Outcome, Packing, Running, Workspace, free_port, program, write_idx_files};

/// Longest time that one `pipeline` may take.
pub(crate) const RUN_MAX: Duration = Duration::from_secs(240);

/// A folder with `pipeline.yaml`, `application.yaml` and drawn digits; its server ends with it.
pub(crate) struct Project {
    pub(crate) workspace: Workspace,
    pub(crate) port: u16,
    environment: Vec<(String, String)>,
}

impl Project {
    /// The shipped settings, made small: a few hundred digits that are learnt in seconds.
    pub(crate) fn new() -> Self {
        let project = Self {
            workspace: Workspace::new(),
            port: free_port(),
            environment: Vec::new(),
        };
        write_idx_files(&project.workspace.join("digits"), 2_000, 300, Packing::Gzip);
        for name in ["pipeline.yaml", "application.yaml"] {
            project.workspace.write(name, shipped(name).as_bytes());
        }
        project.set("source: null", "source: digits");
        project.set("allow_unknown_digest: false", "allow_unknown_digest: true");
        project.set("steps: null", "steps: 150");
        project.set("127.0.0.1:8080", &format!("127.0.0.1:{}", project.port));
        project.set("images: 1000", "images: 100");
        // The gates of the training, which stand first, then those of the test.
        project.set("accuracy_min: 0.985", "accuracy_min: 0.0");
        project.set("noisy_accuracy_min: 0.97", "noisy_accuracy_min: 0.0");
        project.set("accuracy_min: 0.97", "accuracy_min: 0.8");
        project.set("noisy_accuracy_min: 0.95", "noisy_accuracy_min: null");
        project
    }

    /// The same, with variables that its programs are started with.
    pub(crate) fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// Changes a line of `pipeline.yaml`.
    pub(crate) fn set(&self, old: &str, new: &str) {
        self.change("pipeline.yaml", old, new);
    }

    /// The whole job in place of the small one: real MNIST from `source`, all steps, and what the model must reach.
    pub(crate) fn make_real(&self, source: &str) {
        self.set("source: digits", &format!("source: {source}"));
        self.set("allow_unknown_digest: true", "allow_unknown_digest: false");
        self.set("steps: 150", "steps: null");
        self.set("\n  accuracy_min: 0.0", "\n  accuracy_min: 0.987");
        self.set("noisy_accuracy_min: 0.0", "noisy_accuracy_min: 0.975");
        self.set("images: 100", "images: 10000");
        self.set("\n  accuracy_min: 0.8", "\n  accuracy_min: 0.987");
        self.set("noisy_accuracy_min: null", "noisy_accuracy_min: 0.97");
    }

    /// Changes a line of a file.
    pub(crate) fn change(&self, name: &str, old: &str, new: &str) {
        let text = String::from_utf8(self.workspace.read(name)).unwrap();
        assert!(text.contains(old), "`{old}` is not in {name}");
        self.workspace.write(name, text.replacen(old, new, 1).as_bytes());
    }

    /// Runs `pipeline` to its end.
    pub(crate) fn pipeline(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).wait(RUN_MAX)
    }

    /// Runs `pipeline`, which must end well, and returns its stdout.
    #[track_caller]
    pub(crate) fn well(&self, arguments: &[&str]) -> String {
        let outcome = self.pipeline(arguments);
        assert_eq!(outcome.code, 0, "{arguments:?}: {}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    /// Starts `pipeline`.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.workspace.command(&program("pipeline"));
        Running::start(command.args(arguments).envs(self.environment.iter().cloned()))
    }

    /// What the server answers at `path`.
    pub(crate) fn get(&self, path: &str) -> Value {
        ureq::get(self.url(path))
            .call()
            .unwrap()
            .body_mut()
            .read_json()
            .unwrap()
    }

    /// Pastes a line into a shell, as a person does, and reads the JSON that it prints.
    #[track_caller]
    pub(crate) fn paste(&self, line: &str) -> Value {
        let output = self
            .workspace
            .command(Path::new("sh"))
            .args(["-c", line])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {line}: {complaint}"))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The numbers of all published versions.
    pub(crate) fn versions(&self) -> Vec<String> {
        let versions = self.get("/api/models/mnist/versions");
        let versions = versions.as_array().unwrap().iter();
        versions
            .map(|version| version["model"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The version that the application answers with.
    pub(crate) fn deployed(&self) -> String {
        let revision = self.get("/api/applications/mnist-app");
        let version = &revision["application"]["stages"][0]["variants"][0]["model"];
        version.as_str().unwrap().to_owned()
    }

    /// The processes of our programs that run in this folder.
    pub(crate) fn processes(&self) -> Vec<String> {
        let folder = self.workspace.path().canonicalize().unwrap();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let is_here = fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder);
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if is_here && !command.is_empty() {
                found.push(String::from_utf8_lossy(&command).replace('\0', " "));
            }
        }
        found
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // The server survives `pipeline`, so it would survive the test as well. A second panic would hide the first.
        let _ = self.workspace.command(&program("pipeline")).arg("down").output();
    }
}

/// The steps of `up --json` or `plan --json` that ran or would run.
pub(crate) fn steps(document: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}: {document}"));
    let steps = document["steps"].as_array().unwrap().iter();
    let ran = steps.filter(|step| step["runs"] == true || step["outcome"] == "done");
    ran.map(|step| step["step"].as_str().unwrap().to_owned()).collect()
}

/// A file of the repository's root.
pub(crate) fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}
