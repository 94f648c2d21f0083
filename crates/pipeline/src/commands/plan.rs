//! `pipeline plan`: what `pipeline up` would do, and why.

use std::process::ExitCode;

use anyhow::Context;
use console::exit;
use serde::Serialize;

use crate::{
    cli::cluster::Target,
    commands::up::{self, UpArgs},
    decide::Decision,
    executor::Cluster,
    interrupt::Interrupt,
    plan::{Plan, StepName},
    settings::Settings,
    state::State,
    summary::OUTPUT_FORMAT,
};

#[derive(Serialize)]
struct Outlook {
    format: u32,
    pending: bool,
    steps: Vec<StepOutlook>,
    /// What becomes of the objects in the cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<String>,
}

#[derive(Serialize)]
struct StepOutlook {
    step: StepName,
    runs: bool,
    reason: String,
    program: &'static str,
    arguments: Vec<String>,
    reads: Vec<String>,
    writes: Vec<String>,
}

/// Carries out `pipeline plan`: exit code 0 if there is nothing to do, 2 if there is.
pub(crate) fn plan(arguments: &UpArgs) -> anyhow::Result<ExitCode> {
    let settings = up::load(arguments)?;
    let Looked {
        plan,
        decisions,
        objects,
    } = match arguments.target.target {
        Target::Local => here(arguments, &settings)?,
        Target::Kubernetes => there(arguments, &settings)?,
    };
    let runs = decisions
        .iter()
        .any(|(_, decision)| matches!(decision, Decision::Run(_)));
    let pending = runs || !objects.is_empty();
    if arguments.json {
        let outlook = Outlook {
            format: OUTPUT_FORMAT,
            pending,
            steps: decisions
                .iter()
                .filter_map(|(name, decision)| StepOutlook::new(&plan, *name, decision))
                .collect(),
            objects,
        };
        console::print(&serde_json::to_string(&outlook).context("cannot write the plan")?);
    } else {
        for (name, decision) in &decisions {
            console::print(&match decision {
                Decision::Skip(reason) => format!("  skip  {name:<8}  {reason}"),
                Decision::Run(reason) => format!("  run   {name:<8}  {reason}"),
            });
        }
        for change in &objects {
            console::print(&format!("  change  {change}"));
        }
        console::print(if pending {
            "`pipeline up` does it"
        } else {
            "there is nothing to do"
        });
    }
    Ok(ExitCode::from(if pending { exit::PENDING } else { exit::DONE }))
}

/// What is to be done, and what would become of it.
struct Looked {
    plan: Plan,
    decisions: Vec<(StepName, Decision)>,
    objects: Vec<String>,
}

fn here(arguments: &UpArgs, settings: &Settings) -> anyhow::Result<Looked> {
    let (state, interrupt) = (State::new(&settings.root), Interrupt::default());
    let plan = up::plan(arguments, settings);
    let executor = up::local(settings, &state, &interrupt)?;
    Ok(Looked {
        decisions: up::delivery(&plan, &executor, &state, &interrupt, settings).look_ahead()?,
        plan,
        objects: Vec::new(),
    })
}

fn there(arguments: &UpArgs, settings: &Settings) -> anyhow::Result<Looked> {
    let (scene, interrupt) = (up::scene(arguments, settings)?, Interrupt::default());
    let cluster = Cluster::connect(&arguments.target.cluster, &interrupt)?;
    let memory = up::memory(&cluster, settings)?;
    let executor = up::there(arguments, settings, &cluster, &memory)?;
    if let Some(notice) = executor.notice() {
        console::say(&notice);
    }
    Ok(Looked {
        decisions: up::delivery(&scene.plan, &executor, &memory, &interrupt, settings).look_ahead()?,
        objects: executor.changes()?,
        plan: scene.plan,
    })
}

impl StepOutlook {
    fn new(plan: &Plan, name: StepName, decision: &Decision) -> Option<Self> {
        let step = plan.step(name)?;
        let (runs, reason) = match decision {
            Decision::Skip(reason) => (false, reason),
            Decision::Run(reason) => (true, reason),
        };
        Some(Self {
            step: name,
            runs,
            reason: reason.to_string(),
            program: step.program.as_str(),
            arguments: step.command_line(|value| Some(value.to_string()).filter(|text| !text.is_empty())),
            reads: step.reads.iter().map(ToString::to_string).collect(),
            writes: step.writes.iter().map(ToString::to_string).collect(),
        })
    }
}
