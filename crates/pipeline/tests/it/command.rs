//! Answers where nothing was delivered, and refusals.

use expect_test::{Expect, expect};
use test_support::{Workspace, free_port};

use crate::run;

/// Checks exit code, stdout and stderr in an empty folder.
#[track_caller]
fn check(arguments: &[&str], expected: Expect) {
    let workspace = Workspace::new();
    let outcome = run(&workspace, arguments);
    expected.assert_eq(&format!("{}\n{}{}", outcome.code, outcome.stdout, outcome.stderr));
    assert_eq!(workspace.files(""), [""; 0], "looking leaves nothing behind");
}

#[test]
fn where_nothing_runs_status_says_so_and_down_has_nothing_to_do() {
    check(
        &["status"],
        expect![[r#"
        0
        server       does not run
        last run     none
    "#]],
    );
    check(
        &["status", "--json"],
        expect![[r#"
        0
        {"format":1,"server":null,"last_run":null,"delivering":null}
    "#]],
    );
    check(
        &["down"],
        expect![[r#"
        0
        the server does not run
    "#]],
    );
    check(
        &["logs", "train"],
        expect![[r#"
        1
        error: step train has not run here
    "#]],
    );
}

#[test]
fn without_settings_it_is_said_where_they_should_be() {
    check(
        &["up"],
        expect![[r#"
        1
        error: cannot read `pipeline.yaml`
          because: No such file or directory (os error 2)

        hint: call `pipeline` in the folder with `pipeline.yaml`, or name it with `--config`
    "#]],
    );
    check(
        &["plan", "--json"],
        expect![[r#"
        1
        {"error":{"because":["No such file or directory (os error 2)"],"hint":"call `pipeline` in the folder with `pipeline.yaml`, or name it with `--config`","message":"cannot read `pipeline.yaml`"},"format":1}
        error: cannot read `pipeline.yaml`
          because: No such file or directory (os error 2)

        hint: call `pipeline` in the folder with `pipeline.yaml`, or name it with `--config`
    "#]],
    );
}

/// Exit code 1, where 0 is nothing to do and 2 something: a plan that nobody could make is neither.
#[test]
fn a_cluster_that_is_not_there_is_named() {
    let workspace = Workspace::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for name in ["pipeline.yaml", "application.yaml"] {
        workspace.write(name, &std::fs::read(root.join(name)).unwrap());
    }
    let server = format!("http://127.0.0.1:{}", free_port());
    let kubeconfig = KUBECONFIG.replace("SERVER", &server);
    workspace.write("kubeconfig", kubeconfig.as_bytes());
    let plan = |more: &[&str]| {
        let target = ["plan", "--target", "kubernetes", "--kubeconfig", "kubeconfig"];
        let outcome = run(&workspace, &[target.as_slice(), more].concat());
        format!("{}\n{}", outcome.code, outcome.stderr.replace(&server, "SERVER"))
    };
    expect![[r#"
        1
        error: the cluster at `SERVER/` does not answer
          because: ServiceError: client error (Connect)
          because: client error (Connect)
          because: tcp connect error
          because: Connection refused (os error 111)

        hint: `--context` and `--kubeconfig` choose another cluster; `kubectl cluster-info` asks the same one
    "#]]
    .assert_eq(&plan(&["--image", "slipway:1"]));
    expect![[r#"
        1
        error: cannot use `kubeconfig`
          because: failed to load current context: other
    "#]]
    .assert_eq(&plan(&["--image", "slipway:1", "--context", "other"]));
    expect![[r#"
        1
        error: the image `slipway:latest` (`--image`) means another one as time goes by: expected one with a digest, or a tag other than `latest`
    "#]].assert_eq(&plan(&["--image", "slipway:latest"]));
    assert_eq!(plan(&[]).split_once('\n').unwrap().0, "2");
}

const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
current-context: main
contexts: [{name: main, context: {cluster: main, user: main}}]
clusters: [{name: main, cluster: {server: "SERVER"}}]
users: [{name: main, user: {token: none}}]
"#;

#[test]
fn a_server_that_is_not_there_may_be_there_later() {
    let workspace = Workspace::new();
    workspace.write("model", b"an artifact");
    let server = format!("127.0.0.1:{}", free_port());
    let outcome = run(&workspace, &["upload", "--server", &server, "--artifact", "model"]);
    assert_eq!(outcome.code, 75, "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains(&format!("no answer from `http://{server}/api/models")),
        "{}",
        outcome.stderr
    );
}
