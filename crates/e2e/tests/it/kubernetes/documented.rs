//! The commands of docs/kubernetes.md, carried out as they stand there.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command, time::Duration};

use test_support::{ImageRegistry, OnDemand, Running, patience, program};

use super::{
    place::{Place, image, variable},
    rendered::{copy, rendered},
    retraining::SCHEDULE,
};
use crate::{documents, project::RUN_MAX};

/// Commands that must be there, so that a changed document does not leave them out.
const EXPECTED: usize = 15;

#[test]
fn every_command_of_the_document_does_what_it_says() {
    if !OnDemand::Cluster.is_asked_for() {
        return;
    }
    let mut place = Place::new();
    let theirs = [
        "get",
        "namespace",
        "slipway",
        "slipway-dev",
        "--ignore-not-found",
        "--output=name",
    ];
    assert_eq!(place.kubectl(&theirs), "", "somebody's deliveries would be removed");
    // The one of the document, so that its commands need no other.
    place.namespace = "slipway".to_owned();
    let folder = place.project.workspace.join("target/release");
    fs::create_dir_all(&folder).unwrap();
    for name in ["pipeline", "mnist-data", "trainer", "server"] {
        symlink(program(name), folder.join(name)).unwrap();
    }
    copy(&rendered(), &place.project.workspace.join("k8s"));
    let mut n_commands = 0;
    for words in documents::commands("docs/kubernetes.md") {
        n_commands += 1;
        carry_out(&place, words);
    }
    assert_eq!(n_commands, EXPECTED);
}

/// Each command does its work; what it says of the image and the checkout, it says of those of this test.
fn carry_out(place: &Place, words: Vec<String>) {
    let line = words.join(" ").replace("registry.example/slipway:1", &image(0));
    let words: Vec<&str> = line.split(' ').collect();
    let rest = words.strip_prefix(&["target/release/pipeline"]);
    match rest.and_then(|rest| rest.first()) {
        Some(&"image") => {
            // The image of this checkout, with what nobody builds again.
            let folder = crate::workspace::root().display().to_string();
            let registry = line.contains("registry.example").then(ImageRegistry::start);
            let host = registry.as_ref().map_or("localhost".to_owned(), ImageRegistry::host);
            let line = line.replace("registry.example", &host);
            let words: Vec<&str> = line.split(' ').chain(["--folder", &folder]).collect();
            let reference = run(place, &words, 0);
            let separator = if registry.is_some() { '@' } else { ':' };
            assert!(
                reference.starts_with(&format!("{host}/slipway{separator}")),
                "{line}: {reference}"
            );
        }
        // Before the first delivery there is everything to do.
        Some(&"plan") => drop(run(place, &words, 2)),
        Some(&"forward") => check_forward(place, &words),
        // The digits of this test are in no file that others could use.
        Some(&"render") => {
            let root = crate::workspace::root();
            let output = Command::new(program("pipeline"))
                .args(&words[1..])
                .current_dir(root)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{line}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        _ if line.starts_with("kubectl apply") => {
            run(place, &words, 0);
            place.kubectl(&["delete", "namespace", "slipway-dev", "--wait=false"]);
        }
        // What its delivery would download is out of reach of a cluster of tests; rendered.rs has one that ends well.
        _ if line.starts_with("helm install") => {
            place.kubectl(&["wait", "--for=delete", "namespace/slipway", "--timeout=60s"]);
            run(place, &[words.as_slice(), &["--no-hooks"]].concat(), 0);
            run(place, &["helm", "uninstall", "slipway", "--namespace", "slipway"], 0);
            place.kubectl(&["delete", "namespace", "slipway", "--wait=false"]);
        }
        // A schedule comes with data that the cluster has.
        _ if line.contains("--from=cronjob/") => {
            place.project.set("source: digits", "source: null");
            place.project.set("retraining_schedule: null", SCHEDULE);
            place.up(0);
            run(place, &words, 0);
            place.kubectl(&["delete", "job", words[words.len() - 1]]);
            patience("the end of the retraining", Duration::from_secs(60), || {
                let pods = [
                    "get",
                    "pods",
                    "--selector=app.kubernetes.io/component=retraining",
                    "--output=name",
                ];
                place.kubectl(&pods).is_empty().then_some(())
            });
        }
        _ => drop(run(place, &words, 0)),
    }
}

/// Runs a command in the folder, which must end with this code, and returns what it prints.
fn run(place: &Place, words: &[&str], code: i32) -> String {
    let outcome = Running::start(&mut command(place, words)).wait(RUN_MAX);
    assert_eq!(outcome.code, code, "{words:?}: {}\n{}", outcome.stdout, outcome.stderr);
    outcome.stdout
}

fn command(place: &Place, words: &[&str]) -> Command {
    let mut command = place.project.workspace.command(Path::new(words[0]));
    command.args(&words[1..]).env("KUBECONFIG", variable("KUBECONFIG"));
    if words.get(1) == Some(&"image") {
        command.env("CLUSTER_LOAD", variable("CLUSTER_LOAD"));
    }
    command
}

fn check_forward(place: &Place, words: &[&str]) {
    // Somebody here may have the port of the document.
    let words: Vec<&str> = words
        .iter()
        .map(|word| if *word == "8080" { "0" } else { word })
        .collect();
    let forward = Running::start(&mut command(place, &words));
    let url = patience("the forwarded port", Duration::from_secs(10), || {
        forward.stdout().split_whitespace().next().map(str::to_owned)
    });
    let ready = ureq::get(format!("{url}/readyz"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    assert!(ready.contains("ready"), "{ready}");
}
