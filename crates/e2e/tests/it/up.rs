//! `pipeline up` from nothing to a served, proven model, and everything around it.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use test_support::patience;

use crate::project::{Project, RUN_MAX, steps};

const ALL: [&str; 6] = ["download", "train", "serve", "upload", "deploy", "test"];

#[test]
fn up_delivers_and_a_second_up_does_nothing() {
    let project = Project::new();
    assert_eq!(project.pipeline(&["plan"]).code, 2);
    assert_eq!(steps(&project.well(&["up", "--json"])), ALL);
    assert_eq!(project.pipeline(&["plan"]).code, 0);
    assert_eq!(steps(&project.well(&["up", "--json"])), [""; 0]);
    assert_eq!(
        (project.versions(), project.deployed()),
        (vec!["mnist:1".to_owned()], "mnist:1".to_owned())
    );

    let second = project.pipeline(&["up"]);
    for step in ALL {
        let line = second
            .stderr
            .lines()
            .find(|line| line.starts_with(step))
            .unwrap_or_default();
        assert!(
            line.contains("skipped: ") && line.contains(" since "),
            "{step}: {}",
            second.stderr
        );
    }
}

#[test]
fn the_summary_names_what_was_delivered_and_its_accuracy() {
    let project = Project::new();
    let summary = project.well(&["up"]);
    for part in [
        "mnist:1",
        "mnist-app (revision 1)",
        "of 100 images right",
        "of 50 images right",
        "train ",
        "curl ",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    let report: Value = serde_json::from_slice(&project.workspace.read(".pipeline/results/test.json")).unwrap();
    assert_eq!(report["clean"]["failures"], 0);
    assert_eq!(report["versions"][0], "mnist:1");
}

#[test]
fn a_changed_hyperparameter_rolls_the_application_without_a_failed_request() {
    let project = Project::new();
    project.well(&["up"]);
    project.set("learning_rate: null", "learning_rate: 0.02");
    let ahead = project.pipeline(&["plan"]);
    assert_eq!(ahead.code, 2);
    assert!(ahead.stdout.contains("learning_rate is now 0.02"), "{}", ahead.stdout);

    let body = project.workspace.read(".pipeline/results/example.json");
    let url = project.url("/gateway/applications/mnist-app/predict");
    let stop = AtomicBool::new(false);
    let ask = || {
        let agent = ureq::agent();
        let mut answered_by = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let answer = agent.post(&url).content_type("application/json").send(&body);
            let mut answer = answer.unwrap_or_else(|error| panic!("a request failed: {error}"));
            answered_by.push(answer.headers()["x-model-version"].to_str().unwrap().to_owned());
            answer.body_mut().read_to_vec().unwrap();
        }
        answered_by
    };
    let answered_by = thread::scope(|scope| {
        let clients: Vec<_> = (0..2).map(|_| scope.spawn(ask)).collect();
        let ran = project.pipeline(&["up", "--json"]);
        stop.store(true, Ordering::Relaxed);
        let answered_by: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        assert_eq!(
            steps(&ran.stdout),
            ["train", "upload", "deploy", "test"],
            "{}",
            ran.stderr
        );
        answered_by
    });
    for version in ["mnist:1", "mnist:2"] {
        assert!(answered_by.iter().any(|by| by == version), "{version} never answered");
    }
    assert_eq!(project.deployed(), "mnist:2");
}

#[test]
fn a_missed_threshold_ends_with_1_and_a_report() {
    let project = Project::new();
    project.set("\n  accuracy_min: 0.8", "\n  accuracy_min: 1.0");
    project.set("noisy_accuracy_min: null", "noisy_accuracy_min: 1.0");
    project.set("steps: 150", "steps: 1");
    let outcome = project.pipeline(&["up", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((outcome.code, &document["verdict"]), (1, &Value::from("failed")));
    assert_eq!(document["delivery"]["test"]["passed"], false);
    // Only what failed is done again.
    project.set("\n  accuracy_min: 1.0", "\n  accuracy_min: null");
    project.set("noisy_accuracy_min: 1.0", "noisy_accuracy_min: null");
    assert_eq!(steps(&project.well(&["up", "--json"])), ["test"]);
}

#[test]
fn a_model_that_misses_a_gate_of_the_training_is_kept_aside_and_never_published() {
    let project = Project::new();
    project.set("\n  accuracy_min: 0.0", "\n  accuracy_min: 1.0");
    project.set("steps: 150", "steps: 1");
    let outcome = project.pipeline(&["up", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        (outcome.code, &document["failure"]),
        (1, &Value::from("step train ended with exit code 1"))
    );
    assert!(
        outcome.stderr.contains("expected at least 1 (`--accuracy-min`)"),
        "{}",
        outcome.stderr
    );
    assert!(
        project
            .workspace
            .join("models/mnist/mnist.rejected.safetensors")
            .exists()
    );
    assert!(!project.workspace.join("models/mnist/mnist.safetensors").exists());
    assert!(!project.workspace.join("registry/models").exists());
    project.set("\n  accuracy_min: 1.0", "\n  accuracy_min: 0.0");
    project.set("steps: 1", "steps: 150");
    assert_eq!(steps(&project.well(&["up", "--json"])), ALL[1..]);
}

#[test]
fn two_deliveries_in_one_folder_do_not_meet() {
    let project = Project::new();
    project.set("steps: 150", "steps: 100000");
    let mut first = project.start(&["up"]);
    patience("the first delivery's training", RUN_MAX, || {
        first.stderr().contains("train    | ").then_some(())
    });
    let second = project.pipeline(&["up"]);
    assert_eq!(second.code, 1);
    assert!(
        second.stderr.contains(&format!("process {}", first.id())),
        "{}",
        second.stderr
    );
    first.kill();
}

#[test]
fn ctrl_c_ends_what_runs_and_up_goes_on() {
    let project = Project::new();
    project.set("steps: 150", "steps: 100000");
    let running = project.start(&["up"]);
    patience("the training", RUN_MAX, || {
        running.stderr().contains("train    | ").then_some(())
    });
    running.interrupt();
    let outcome = running.wait(RUN_MAX);
    assert_eq!(outcome.code, 130, "{}", outcome.stderr);
    assert_eq!(project.processes(), [""; 0]);
    project.set("steps: 100000", "steps: 150");
    assert_eq!(steps(&project.well(&["up", "--json"])), ALL[1..]);
}

#[test]
fn down_leaves_no_process_and_up_brings_the_same_version_back() {
    let project = Project::new();
    project.well(&["up"]);
    assert!(project.well(&["status"]).contains("mnist-app answers with mnist:1"));
    assert_eq!(project.processes().len(), 1, "{:?}", project.processes());
    project.well(&["down"]);
    assert_eq!(project.processes(), [""; 0]);
    assert!(project.well(&["status"]).contains("does not run"));
    assert_eq!(steps(&project.well(&["up", "--json"])), ["serve"]);
    assert_eq!(project.deployed(), "mnist:1");
    project.well(&["down", "--all"]);
    let left: Vec<_> = fs::read_dir(project.workspace.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    for folder in [".pipeline", "models", "registry"] {
        assert!(!left.iter().any(|name| name == folder), "{left:?}");
    }
}

#[test]
fn a_wiped_registry_is_filled_again() {
    let project = Project::new();
    project.well(&["up"]);
    project.well(&["down"]);
    fs::remove_dir_all(project.workspace.join("registry")).unwrap();
    assert_eq!(
        steps(&project.well(&["up", "--json"])),
        ["serve", "upload", "deploy", "test"]
    );
    assert_eq!(
        (project.versions().len(), project.deployed()),
        (1, "mnist:1".to_owned())
    );
}

#[test]
fn what_somebody_else_deployed_is_deployed_over() {
    let project = Project::new();
    project.well(&["up"]);
    project.set("seed: 1", "seed: 2");
    project.well(&["up"]);
    let first = br#"{"name":"mnist-app","stages":[{"variants":[{"model":"mnist:1","weight":100}]}]}"#;
    let put = ureq::put(project.url("/api/applications/mnist-app")).content_type("application/json");
    assert_eq!(put.send(first).unwrap().status(), 201);
    assert_eq!(project.deployed(), "mnist:1");
    let ahead = project.pipeline(&["plan"]);
    assert!(
        ahead.stdout.contains("somebody deployed revision 3 of mnist-app"),
        "{}",
        ahead.stdout
    );
    assert_eq!(steps(&project.well(&["up", "--json"])), ["deploy", "test"]);
    assert_eq!(project.deployed(), "mnist:2");
}

#[test]
fn an_address_that_is_taken_is_named_with_its_key() {
    let project = Project::new();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", project.port)).unwrap();
    project.set("steps: 150", "steps: 1");
    let outcome = project.pipeline(&["up"]);
    assert_eq!(outcome.code, 1);
    let message = format!(
        "the address 127.0.0.1:{} (key `server.listen`) is taken by another program",
        project.port
    );
    assert!(outcome.stderr.contains(&message), "{}", outcome.stderr);
}

#[test]
fn a_server_that_changed_is_started_anew_and_a_dead_one_again() {
    let project = Project::new();
    project.well(&["up"]);
    let old = project.port;
    let new = test_support::free_port();
    project.set(&format!("127.0.0.1:{old}"), &format!("127.0.0.1:{new}"));
    assert_eq!(steps(&project.well(&["up", "--json"])), ["serve"]);
    assert_eq!(project.processes().len(), 1);
    let document: Value = serde_json::from_slice(&project.workspace.read(".pipeline/service/server.json")).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(document["pid"].as_i64().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    patience("the server's end", Duration::from_secs(20), || {
        project.processes().is_empty().then_some(())
    });
    assert!(project.well(&["status"]).contains("does not run"));
    assert_eq!(steps(&project.well(&["up", "--json"])), ["serve"]);
}

#[test]
fn logs_prints_what_a_step_wrote() {
    let project = Project::new();
    project.well(&["up"]);
    assert_eq!(project.well(&["logs", "upload"]).lines().count(), 1);
    assert!(project.well(&["logs", "upload"]).starts_with("published mnist:1"));
    assert!(project.well(&["logs", "serve"]).contains("mnist:1"));
}

#[test]
fn mistakes_in_the_settings_cost_no_training_run() {
    let project = Project::new();
    project.set("learning_rate: null", "learnig_rate: 0.01");
    project.change("application.yaml", "kind: Application", "kind: Aplication");
    for command in ["up", "plan"] {
        let outcome = project.pipeline(&[command, "--json"]);
        let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let message = document["error"]["message"].as_str().unwrap();
        assert_eq!(outcome.code, 1);
        assert!(message.contains("did you mean `learning_rate`?"), "{message}");
        assert!(message.contains("application.yaml:"), "{message}");
    }
    assert!(!project.workspace.join(".pipeline").exists());
}

#[test]
fn a_delivery_opens_the_server_with_what_its_settings_name() {
    let project = Project::new();
    project.set("management_token_file: null", "management_token_file: secrets/token");
    project.set("api_keys_file: null", "api_keys_file: secrets/keys");
    project.workspace.write("secrets/token", b"token-0123456789abcdef\n");
    project.workspace.write("secrets/keys", b"test:key-0123456789abcdef\n");
    project.well(&["up"]);
    let refused = ureq::get(project.url("/api/models")).call().unwrap_err();
    assert!(matches!(refused, ureq::Error::StatusCode(401)), "{refused}");
    let status = project.well(&["status"]);
    assert!(status.contains("mnist-app answers with mnist:1"), "{status}");
    project.well(&["plan"]);
    let server = project.url("");
    let refused = project.pipeline(&["upload", "--server", &server]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("management takes a token"),
        "{}",
        refused.stderr
    );
    project.well(&["upload", "--server", &server, "--token-file", "secrets/token"]);
    // What opens the server stands in its two files and nowhere else.
    for file in project.workspace.files(".pipeline") {
        let text = String::from_utf8_lossy(&project.workspace.read(&file)).into_owned();
        assert!(!text.contains("0123456789abcdef"), "{file}");
    }
}

#[test]
fn the_steps_can_be_taken_by_hand() {
    let project = Project::new();
    project.well(&["up"]);
    let server = project.url("");
    project.well(&["upload", "--server", &server]);
    assert_eq!(project.versions().len(), 2);
    project.well(&["deploy", "--server", &server]);
    assert_eq!(project.deployed(), "mnist:2");
    let back = project.well(&["rollback", "--server", &server]);
    assert_eq!(back, "mnist-app answers with mnist:1 (revision 3)\n");
    assert_eq!(project.deployed(), "mnist:1");
    let refused = project.pipeline(&["rollback", "--server", &server, "--revision", "7"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("has no revision 7, its newest is 3"),
        "{}",
        refused.stderr
    );
    let report = project.well(&["test", "--server", &server, "--images", "20", "--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["clean"]["requests"], &report["noisy"]["requests"]),
        (&20.into(), &10.into())
    );
}
