//! How programs of steps are launched: a task ends with its parent, a service is known as long as it lives.

use std::{process::Stdio, time::Duration};

use test_support::{Workspace, patience};

use crate::{pipeline, run};

/// A key as the service's document has it.
const KEY: &str = r#"{"arguments":{},"inputs":{},"programs":{}}"#;

fn service<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    let launch = [
        "launch",
        "service",
        "--state",
        "state",
        "--url",
        "http://127.0.0.1:1",
        "--key",
        KEY,
        "--",
    ];
    [launch.as_slice(), rest].concat()
}

/// Launches a service to its end: the exit code and what was complained about. It must not lead a process group, which
/// could not start a session.
fn launch(workspace: &Workspace, rest: &[&str]) -> (Option<i32>, String) {
    let output = pipeline(workspace, &service(rest)).output().expect("`pipeline` starts");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_task_whose_parent_is_gone_does_not_start() {
    let workspace = Workspace::new();
    let nobody = u32::MAX.to_string();
    let outcome = run(
        &workspace,
        &[
            "launch", "task", "--parent", &nobody, "--state", ".", "--", "touch", "made",
        ],
    );
    assert_eq!(outcome.code, 1);
    assert!(outcome.stderr.contains("is gone"), "{}", outcome.stderr);
    assert_eq!(workspace.files(""), ["tasks"], "nothing but the lock");
}

#[test]
fn a_service_is_the_only_one_as_long_as_it_lives_however_it_ends() {
    let workspace = Workspace::new();
    let start = || {
        let mut command = pipeline(&workspace, &service(&["sleep", "60"]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let document = || {
        let bytes = std::fs::read(workspace.join("state/service/server.json")).ok()?;
        let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        document["pid"].as_u64()
    };
    let mut first = start();
    patience("the first service's document", Duration::from_secs(20), || {
        (document() == Some(first.id().into())).then_some(())
    });
    let (code, complaint) = launch(&workspace, &["touch", "made"]);
    assert_eq!(code, Some(1));
    assert!(complaint.contains("a service runs here already"), "{complaint}");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(launch(&workspace, &["touch", "made"]).0, Some(0));
    assert!(workspace.join("made").exists());
}

#[test]
fn a_program_that_is_not_there_is_named_and_leaves_the_place_free() {
    let workspace = Workspace::new();
    for _ in 0..2 {
        let (code, complaint) = launch(&workspace, &["no-such-program"]);
        assert_eq!(code, Some(1));
        assert!(complaint.contains("cannot start `no-such-program`"), "{complaint}");
    }
}
