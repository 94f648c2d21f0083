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
    cli::{
        Project,
        cluster::{Target, TargetArgs},
    },
    executor::{Cluster, follow_logs},
    interrupt::{Interrupt, LOOK_EVERY},
    plan::StepName,
    service::ServiceFolder,
    state::{Memory, State},
};

/// Print what a step wrote when it last ran
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The step
    #[arg(value_enum)]
    pub step: StepName,

    #[command(flatten)]
    pub project: Project,

    #[command(flatten)]
    pub target: TargetArgs,

    /// Go on with what it writes from now on, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}

/// Carries out `pipeline logs`.
pub(crate) fn logs(arguments: &LogsArgs) -> anyhow::Result<ExitCode> {
    let (root, step) = (arguments.project.root(), arguments.step);
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let path = match arguments.target.target {
        Target::Local => find(&State::new(root), step)?,
        Target::Kubernetes if step == StepName::Serve => {
            let cluster = Cluster::connect(&arguments.target.cluster, &interrupt)?;
            return print_server(&cluster, arguments.follow);
        }
        // Every step that was started from here left its lines here.
        Target::Kubernetes => find(&State::of_namespace(root, &arguments.target.cluster.namespace), step)?,
    };
    let Some(path) = path else {
        bail!("step {step} has not run here");
    };
    print(&path, arguments.follow, &interrupt).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// What the pods of the server write, each line with the name of its pod.
fn print_server(cluster: &Cluster, follow: bool) -> anyhow::Result<ExitCode> {
    follow_logs(cluster, follow, &mut console::print)?;
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
