//! `kill -9` of `pipeline up` at any moment, then `up`: one served, correct version and no half state.

use std::{
    fs,
    time::{Duration, Instant},
};

use fastrand::Rng;
use serde_json::Value;
use test_support::patience;

use crate::project::{Project, RUN_MAX};

const N_MOMENTS: u32 = 20;

/// The steps whose lines count moments. What kills the test step comes some time after the last of them.
const STEPS: [&str; 4] = ["train", "serve", "upload", "deploy"];

fn quick_project() -> Project {
    let project = Project::new();
    project.set("steps: 150", "steps: 5");
    project.set("accuracy_min: 0.8", "accuracy_min: null");
    project
}

/// Exactly one server runs, nothing else, and the newest version, the `n`-th, answers.
#[track_caller]
fn check(project: &Project, n: u32, moment: &str) {
    let newest = format!("mnist:{n}");
    assert_eq!(project.deployed(), newest, "{moment}");
    assert_eq!(project.versions().len() as u32, n, "{moment}: {:?}", project.versions());
    let answer = ureq::post(project.url("/gateway/applications/mnist-app/predict"))
        .content_type("application/json")
        .send(project.workspace.read(".pipeline/results/example.json"));
    assert_eq!(
        answer.unwrap().headers()["x-model-version"],
        newest.as_str(),
        "{moment}"
    );
    assert_eq!(project.processes().len(), 1, "{moment}: {:?}", project.processes());
    let staged: Vec<String> = project.workspace.files(".pipeline/results");
    assert!(
        staged.iter().all(|name| name.ends_with(".json")),
        "{moment}: {staged:?}"
    );
    assert_eq!(project.pipeline(&["plan"]).code, 0, "{moment}");
}

#[test]
fn after_twenty_kills_there_is_always_one_correct_version() {
    let project = quick_project();
    let whole = project.pipeline(&["up"]).stderr;
    check(&project, 1, "before the first kill");
    // Moments are counted in lines of output, which a slow machine writes in the same order, only later.
    let is_of_a_later_step = |line: &&str| STEPS.iter().any(|step| line.starts_with(step));
    let n_lines_max = whole.lines().filter(is_of_a_later_step).count();
    let mut rng = Rng::with_seed(3);
    let mut n_hits = 0;
    for index in 1..=N_MOMENTS {
        // Every time all is trained, published and deployed anew; sometimes the server starts, too, or data is fetched.
        project.set(
            &format!("seed: {index}\n  # What trains"),
            &format!("seed: {}\n  # What trains", index + 1),
        );
        if index % 3 == 0 {
            project.well(&["down"]);
        }
        if index % 5 == 0 {
            fs::remove_dir_all(project.workspace.join("data")).unwrap();
        }
        let n_lines = rng.usize(..=n_lines_max);
        let delay = Duration::from_millis(rng.u64(..30));
        let moment = format!("kill {index}, {delay:?} after line {n_lines}");
        let mut running = project.start(&["up"]);
        let mut line_came_at = None;
        patience("the moment of the kill", RUN_MAX, || {
            if line_came_at.is_none() && running.stderr().lines().count() >= n_lines {
                line_came_at = Some(Instant::now());
            }
            let is_time = line_came_at.is_some_and(|came_at| came_at.elapsed() >= delay);
            (is_time || running.ended().is_some()).then_some(())
        });
        n_hits += u32::from(running.ended().is_none());
        running.kill();
        project.well(&["up"]);
        check(&project, index + 1, &moment);
    }
    // What comes too late hits nothing; most of them must.
    assert!(
        n_hits > N_MOMENTS / 2,
        "only {n_hits} of {N_MOMENTS} kills hit a running delivery"
    );
}

/// What a kill leaves between the server's answer and the note about it.
#[test]
fn a_kill_between_publishing_and_its_note_makes_no_second_version() {
    let project = quick_project();
    project.well(&["up"]);
    let files = project.workspace.files(".pipeline/runs");
    let run = files.iter().find(|name| name.ends_with("run.json")).unwrap();
    let mut document: Value = serde_json::from_slice(&project.workspace.read(run)).unwrap();
    document.as_object_mut().unwrap().remove("finished_at_ms").unwrap();
    project.workspace.write(run, document.to_string().as_bytes());
    for step in ["upload", "deploy", "test"] {
        fs::remove_file(
            project
                .workspace
                .join(&run.replace("run.json", &format!("{step}.json"))),
        )
        .unwrap();
    }
    fs::remove_dir_all(project.workspace.join(".pipeline/results")).unwrap();
    project.well(&["up"]);
    check(&project, 1, "after the kill");
    assert_eq!(
        project
            .get("/api/applications/mnist-app/revisions")
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_killed_delivery_leaves_no_trainer_behind() {
    let project = quick_project();
    project.set("steps: 5", "steps: 100000");
    let mut running = project.start(&["up"]);
    patience("the training", RUN_MAX, || {
        running.stderr().contains("train    | ").then_some(())
    });
    running.kill();
    patience("the trainer's end", Duration::from_secs(20), || {
        project.processes().is_empty().then_some(())
    });
}
