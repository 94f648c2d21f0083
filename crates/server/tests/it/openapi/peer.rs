//! A stranger that knows the document alone: schemathesis asks for everything in it, rightly and wrongly.

use std::{fs, path::Path};

use test_support::{OnDemand, Python, Workspace};

use crate::{life::store, process};

#[test]
fn schemathesis_finds_no_disagreement() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/openapi");
    let program = Python::with(&here.join("schemathesis.txt")).program("schemathesis");
    let workspace = Workspace::new();
    for file in ["schemathesis.toml", "hooks.py"] {
        workspace.write(file, &fs::read(here.join(file)).unwrap());
    }
    let folder = store();
    let (_server, address) = process::start(folder.path().to_str().unwrap(), &[]);
    let document = format!("http://{address}/openapi.json");
    // The seed, so that what is found once is found again.
    let run = ["run", &document, "--seed", "1", "--max-examples", "50", "--phases"];
    let run = |rest: &[&str]| {
        let outcome = workspace.run(&program, &[&run, rest].concat());
        assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    };
    run(&["examples,coverage,fuzzing"]);
    // What one answer says becomes a part of the next request here, whether it is described as one or not.
    run(&["stateful", "--exclude-checks", "positive_data_acceptance"]);
}
