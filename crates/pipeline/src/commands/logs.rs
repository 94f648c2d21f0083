//! `pipeline logs`: what a step wrote.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    cli::Project,
    interrupt::{Interrupt, LOOK_EVERY},
    plan::StepName,
    service::ServiceFolder,
    state::State,
};

/// Print what a step wrote when it last ran
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The step
    #[arg(value_enum)]
    pub step: StepName,

    #[command(flatten)]
    pub project: Project,

    /// Go on with what it writes from now on, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}

/// Carries out `pipeline logs`.
pub(crate) fn logs(arguments: &LogsArgs) -> anyhow::Result<ExitCode> {
    let state = State::new(arguments.project.root());
    let step = arguments.step;
    let Some(path) = find(&state, step)? else {
        bail!("step {step} has not run here");
    };
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    print(&path, arguments.follow, &interrupt).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The newest output of a step that is kept.
fn find(state: &State, step: StepName) -> anyhow::Result<Option<PathBuf>> {
    let newest = match step {
        StepName::Serve => Some(ServiceFolder::new(state.folder()).log()),
        _ => {
            let mut logs = state.runs()?.into_iter().rev().map(|run| state.log(&run, step));
            logs.find(|log| log.is_file())
        }
    };
    Ok(newest.filter(|log| log.is_file()))
}

fn print(path: &std::path::Path, follow: bool, interrupt: &Interrupt) -> io::Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while !interrupt.is_set() {
        // A line whose end is still to come stays in `line`, and the next look goes on with it.
        let n_bytes = reader.read_until(b'\n', &mut line)?;
        if line.ends_with(b"\n") || (n_bytes == 0 && !follow && !line.is_empty()) {
            console::print(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        } else if n_bytes == 0 {
            if !follow {
                return Ok(());
            }
            interrupt.pause(LOOK_EVERY);
        }
    }
    Ok(())
}
