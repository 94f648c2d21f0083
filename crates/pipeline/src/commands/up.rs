//! `pipeline up`: everything that is not up to date, in order.

use std::{num::NonZeroU32, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;

use crate::{
    cli::Project,
    delivery::{Attempts, Delivery},
    executor::{Executor, Local, Programs},
    interrupt::Interrupt,
    plan::Plan,
    settings::Settings,
    state::State,
    summary::Summary,
};

/// The first pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Train, register, serve and prove a model: run every step that is not up to date
#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub project: Project,

    /// Where the steps run
    #[arg(long, value_enum, default_value_t = Target::Local)]
    pub target: Target,

    /// Clean test images to send, in place of `test.images`
    #[arg(long, env = "WARMUP_IMAGES_AMOUNT", value_name = "N")]
    pub images: Option<NonZeroU32>,

    /// Print one JSON document instead of the summary
    #[arg(long)]
    pub json: bool,
}

/// Where steps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// As processes of this machine.
    Local,
}

/// Carries out `pipeline up`.
pub(crate) fn up(arguments: &UpArgs) -> anyhow::Result<ExitCode> {
    let settings = load(arguments)?;
    for notice in &settings.manifest.notices {
        let file = settings.root.join(&settings.application);
        console::say(&format!("{}:{notice}", file.display()));
    }
    let state = State::new(&settings.root);
    let _lock = state.lock()?;
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let executor = executor(arguments, &settings, &state, &interrupt)?;
    let delivered = delivery(&Plan::new(&settings), executor.as_ref(), &state, &interrupt, &settings).deliver()?;
    let summary = Summary::new(&settings, &delivered)?;
    if arguments.json {
        console::print(&serde_json::to_string(&summary).context("cannot write the summary")?);
    } else {
        console::print(&summary.text());
    }
    Ok(ExitCode::from(summary.exit_code()))
}

/// The settings, with what the command line puts in their place.
pub(crate) fn load(arguments: &UpArgs) -> anyhow::Result<Settings> {
    let mut settings = Settings::load(&arguments.project.config)?;
    if let Some(images) = arguments.images {
        settings.test.images = images;
    }
    Ok(settings)
}

/// Who carries out the plan.
pub(crate) fn executor(
    arguments: &UpArgs,
    settings: &Settings,
    state: &State,
    interrupt: &Interrupt,
) -> anyhow::Result<Box<dyn Executor>> {
    match arguments.target {
        Target::Local => {
            let programs = Programs::beside_this_one()?;
            Ok(Box::new(Local::new(settings, state, programs, interrupt.clone())?))
        }
    }
}

/// The delivery of a plan, with everything that it needs.
pub(crate) fn delivery<'a>(
    plan: &'a Plan,
    executor: &'a dyn Executor,
    state: &'a State,
    interrupt: &'a Interrupt,
    settings: &Settings,
) -> Delivery<'a> {
    Delivery {
        plan,
        executor,
        state,
        interrupt,
        attempts: Attempts {
            max: settings.limits.attempts,
            pause: PAUSE,
        },
        say: &console::say,
    }
}
