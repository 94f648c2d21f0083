//! The clients of other people, unmodified, against one server; and every command that `docs/clients.md` shows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use expect_test::expect_file;
use serde_json::Value;
use tempfile::TempDir;

use test_support::{OnDemand, Outcome, Python, Running, Workspace};

use crate::{life::store_of_all, process, support::artifact};

/// Longest time that a compiler of Go may take.
const BUILD_MAX: Duration = Duration::from_secs(600);
/// Longest time of one command in the document.
const COMMAND_MAX: Duration = Duration::from_secs(60);
/// In the documents a server listens here.
const ADDRESS: &str = "127.0.0.1:8080";
/// What installs `grpcurl`, in one version.
const GRPCURL: &str = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";
const TABLE: &str = "| client | version | calls made | passed |\n|---|---|---|---|\n";

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/clients")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A server with `mnist:1`, which always answers 3, `mnist:2`, which answers 4, and `mnist-app` on the first.
fn start() -> (TempDir, Running, String) {
    let folder = store_of_all(vec![artifact(3), artifact(4)]);
    let (server, address) = process::start(folder.path().to_str().unwrap(), &[]);
    (folder, server, address)
}

/// The program of Go that speaks gRPC by reflection; built once.
fn grpcurl() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grpcurl-1.9.3");
    let program = folder.join("grpcurl");
    if !program.is_file() {
        let mut install = Command::new("go");
        install.args(["install", GRPCURL]).env("GOBIN", &folder);
        let outcome = Running::start(&mut install).wait(BUILD_MAX);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    }
    program
}

/// The lines of the table, from what the scripts print.
fn rows(printed: &str) -> String {
    let row = |line: &str| {
        let client: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let text = |key: &str| client[key].as_str().unwrap().to_owned();
        format!(
            "| `{}` | {} | {} | yes |\n",
            text("client"),
            text("version"),
            text("calls")
        )
    };
    printed.lines().map(row).collect()
}

#[test]
fn the_clients_of_others_get_their_answers() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let (_folder, _server, address) = start();
    let workspace = Workspace::new();
    let ask = |requirements: &str, script: &str, family: &str| {
        let python = Python::with(&here().join(requirements));
        rows(&python.run(&workspace, &here().join(script), &[&address, family]))
    };
    let mut table = ask("clients.txt", "ask.py", "triton");
    table += &ask("clients.txt", "ask.py", "kserve");
    table += &ask("protocol.txt", "ask_protocol.py", "");
    table += &ask("tensorflow.txt", "ask_tensorflow.py", "");
    table += &ask("tensorflow.txt", "ask_original.py", "");
    table += "| `grpcurl` | 1.9.3 | list, describe, Check, ModelMetadata, ModelInfer, Predict | yes |\n";
    // Its tests are beside those of what it asks for, in `hs/peers.rs`.
    table += "| `hs` | 0.1.3 | cluster, upload, apply of Model, Runtime and Application in both forms, profile push (refused); every call of its packages | yes |\n";
    let document = root().join("docs/clients.md");
    let text = fs::read_to_string(&document).unwrap();
    let (before, _) = text.split_once(TABLE).expect("the document has a table of clients");
    expect_file![document].assert_eq(&format!("{before}{TABLE}{table}"));
}

#[test]
fn every_command_of_the_document_works_when_it_is_pasted() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let (_folder, _server, address) = start();
    let python = Python::with(&here().join("clients.txt")).program("python");
    let grpcurl = grpcurl();
    let mut n_commands = 0;
    for (language, text) in blocks(&fs::read_to_string(root().join("docs/clients.md")).unwrap()) {
        let text = text.replace(ADDRESS, &address);
        let commands: Vec<Command> = match language.as_str() {
            "sh" => text.lines().map(|line| shell(line, &grpcurl)).collect(),
            "python" => {
                let mut command = Command::new(&python);
                command.args(["-c", &text]);
                vec![command]
            }
            other => panic!("a block of {other}"),
        };
        for mut command in commands {
            let Outcome { code, stdout, stderr } = Running::start(command.current_dir(root())).wait(COMMAND_MAX);
            assert_eq!(code, 0, "{command:?}: {stdout}\n{stderr}");
            assert!(!stdout.trim().is_empty(), "{command:?} prints nothing");
            n_commands += 1;
        }
    }
    assert!(
        n_commands > 15,
        "only {n_commands} commands found: the search is broken"
    );
}

/// A line as a person types it, with `grpcurl` where it was built.
fn shell(line: &str, grpcurl: &Path) -> Command {
    let folder = grpcurl.parent().expect("a program lies in a folder").display();
    let mut command = Command::new("bash");
    command.args(["-o", "pipefail", "-c", &format!("PATH=\"{folder}:$PATH\"\n{line}")]);
    command
}

/// The language and the text of each block.
fn blocks(document: &str) -> Vec<(String, String)> {
    let parts = document.split("```").skip(1).step_by(2);
    let block = |part: &str| {
        let (language, text) = part.split_once('\n').expect("a block has a first line");
        (language.to_owned(), text.to_owned())
    };
    parts.map(block).collect()
}
