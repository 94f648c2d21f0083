//! `pipeline plan`: what `pipeline up` would do, and why.

use std::process::ExitCode;

use anyhow::Context;
use console::exit;
use serde::Serialize;

use crate::{
    commands::up::{self, UpArgs},
    decide::Decision,
    interrupt::Interrupt,
    plan::{Plan, StepName},
    state::State,
    summary::OUTPUT_FORMAT,
};

#[derive(Serialize)]
struct Outlook {
    format: u32,
    pending: bool,
    steps: Vec<StepOutlook>,
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
    let state = State::new(&settings.root);
    let interrupt = Interrupt::default();
    let executor = up::executor(arguments, &settings, &state, &interrupt)?;
    let plan = Plan::new(&settings);
    let decisions = up::delivery(&plan, executor.as_ref(), &state, &interrupt, &settings).look_ahead()?;
    let pending = decisions
        .iter()
        .any(|(_, decision)| matches!(decision, Decision::Run(_)));
    if arguments.json {
        let outlook = Outlook {
            format: OUTPUT_FORMAT,
            pending,
            steps: decisions
                .iter()
                .filter_map(|(name, decision)| StepOutlook::new(&plan, *name, decision))
                .collect(),
        };
        console::print(&serde_json::to_string(&outlook).context("cannot write the plan")?);
    } else {
        for (name, decision) in &decisions {
            console::print(&match decision {
                Decision::Skip(reason) => format!("  skip  {name:<8}  {reason}"),
                Decision::Run(reason) => format!("  run   {name:<8}  {reason}"),
            });
        }
        console::print(if pending {
            "`pipeline up` does it"
        } else {
            "there is nothing to do"
        });
    }
    Ok(ExitCode::from(if pending { exit::PENDING } else { exit::DONE }))
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
