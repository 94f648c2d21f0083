//! The program `trainer` as a person or the pipeline starts it, on drawn digits.

mod browser;
mod checkpoints;
mod command_line;
mod compute;
mod evaluate;
mod export;
mod limits;
mod sets;
mod training;

use std::{path::Path, time::Duration};

use formats::report::TrainingReport;
use test_support::{Outcome, Packing, Running, Workspace, write_idx_files};

/// Longer than any run here takes on a busy machine.
const RUN_MAX: Duration = Duration::from_secs(120);

/// A throw-away folder with 300 training and 100 test digits under `data/mnist`.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    write_idx_files(&workspace.join("data/mnist"), 300, 100, Packing::Unpacked);
    workspace
}

/// Starts `trainer` in the folder. It never downloads: no test needs the network.
fn start(workspace: &Workspace, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
    let mut command = workspace.command(Path::new(env!("CARGO_BIN_EXE_trainer")));
    command
        .arg("--no-download")
        .args(arguments)
        .envs(variables.iter().copied());
    Running::start(&mut command)
}

fn trainer(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    start(workspace, arguments, &[]).wait(RUN_MAX)
}

/// The report of the last run, in the default place.
fn report(workspace: &Workspace) -> TrainingReport {
    let text = workspace.read("models/mnist/mnist.report.json");
    serde_json::from_slice(&text).expect("the report is what `formats` says")
}
