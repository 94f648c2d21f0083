//! The tour of `docs/clients.md`: a script of a person who has nothing but our programs and the clients of others.

use std::path::Path;

use test_support::{OnDemand, Python, Running, program};

use crate::project::{Project, RUN_MAX};

#[test]
fn the_tour_trains_deploys_asks_and_draws() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let project = Project::new();
    project.well(&["up"]);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = Python::with(&here.join("tests/it/tour/requirements.txt"));
    let programs = program("trainer");
    let mut tour = project.workspace.command(&python.program("python"));
    tour.arg(here.join("../../docs/clients/tour.py"))
        .args(["--server", &format!("127.0.0.1:{}", project.port)])
        .arg("--programs")
        .arg(programs.parent().unwrap())
        .args(["--steps", "150"]);
    let outcome = Running::start(&mut tour).wait(RUN_MAX);
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    // Before its own line, the script prints what the trainer says.
    let last = outcome.stdout.lines().next_back().unwrap();
    let (version, told) = last.split_once(" is right about ").unwrap_or_else(|| panic!("{last}"));
    assert_eq!(version, "tour:1");
    // What a model that guesses is right about is a tenth.
    let percent: f64 = told.split_once('%').unwrap().0.parse().unwrap();
    assert!(percent > 50.0, "{told}");
    let picture = project.workspace.read("tour.png");
    assert!(
        picture.starts_with(b"\x89PNG") && picture.len() > 10_000,
        "{} bytes",
        picture.len()
    );
}
