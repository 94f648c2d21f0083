//! `pipeline up`: everything that is not up to date, in order.

use std::{num::NonZeroU32, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;
use console::Temporary;

use crate::{
    cli::{
        Project,
        cluster::{Target, TargetArgs},
    },
    delivery::{Attempts, Delivery},
    executor::{
        Cluster, ClusterMemory, Conflicts, Executor, Held, Kubernetes, Lease, Local, Manners, Programs, Scene, address,
    },
    interrupt::Interrupt,
    places::Places,
    plan::Plan,
    settings::Settings,
    state::{Memory, State},
    summary::{Left, Summary},
};

/// The first pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Train, register, serve and prove a model: run every step that is not up to date
#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub project: Project,

    /// Clean test images to send, in place of `test.images`
    #[arg(long, env = "WARMUP_IMAGES_AMOUNT", value_name = "N")]
    pub images: Option<NonZeroU32>,

    /// Print one JSON document instead of the summary
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub target: TargetArgs,

    /// The image with our programs, by digest or by a tag that never means another one
    #[arg(
        long,
        required_if_eq("target", "kubernetes"),
        value_name = "NAME",
        help_heading = "With --target kubernetes"
    )]
    pub image: Option<String>,

    /// Fetch the data set again, and do what that makes necessary; in a cluster, nothing is changed but the server
    #[arg(long)]
    pub retrain: bool,

    /// Take over what others have set in our objects
    #[arg(long, help_heading = "With --target kubernetes")]
    pub force_conflicts: bool,
}

/// Carries out `pipeline up`.
pub(crate) fn up(arguments: &UpArgs) -> anyhow::Result<ExitCode> {
    let settings = load(arguments)?;
    for notice in &settings.manifest.notices {
        let file = settings.root.join(&settings.application);
        console::say(&format!("{}:{notice}", file.display()));
    }
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let summary = match arguments.target.target {
        Target::Local => up_here(arguments, &settings, &interrupt)?,
        Target::Kubernetes => up_there(arguments, &settings, &interrupt)?,
    };
    if arguments.json {
        console::print(&serde_json::to_string(&summary).context("cannot write the summary")?);
    } else {
        console::print(&summary.text());
    }
    Ok(ExitCode::from(summary.exit_code()))
}

fn up_here(arguments: &UpArgs, settings: &Settings, interrupt: &Interrupt) -> anyhow::Result<Summary> {
    let state = State::new(&settings.root);
    let _lock = state.lock()?;
    let executor = local(settings, &state, interrupt)?;
    let delivered = delivery(&plan(arguments, settings), &executor, &state, interrupt, settings).deliver()?;
    let places = Places::new(settings);
    let left = Left {
        results: &settings.root.join(State::RESULTS),
        server: places.server_url(),
        remark: None,
    };
    Summary::new(settings, &delivered, &left)
}

fn up_there(arguments: &UpArgs, settings: &Settings, interrupt: &Interrupt) -> anyhow::Result<Summary> {
    let scene = scene(arguments, settings)?;
    let cluster = Cluster::connect(&arguments.target.cluster, interrupt)?;
    cluster.make_namespace()?;
    let _lease = Lease::take(&cluster).map_err(|error| match arguments.retrain && error.is::<Held>() {
        // Nobody sits there to try again, but whoever holds it comes to an end.
        true => error.context(Temporary("a retraining waits for its turn")),
        false => error,
    })?;
    let memory = memory(&cluster, settings)?;
    let executor = there(arguments, settings, &cluster, &memory)?;
    executor.prepare()?;
    let delivered = delivery(&scene.plan, &executor, &memory, interrupt, settings).deliver()?;
    let (server, remark) = address(&cluster, settings.server.listen.port())?;
    let left = Left {
        results: &memory.folder().folder().join("results"),
        server: &server,
        remark: remark.as_deref(),
    };
    Summary::new(settings, &delivered, &left)
}

/// The settings, with what the command line puts in their place.
pub(crate) fn load(arguments: &UpArgs) -> anyhow::Result<Settings> {
    let mut settings = Settings::load(&arguments.project.config)?;
    if let Some(images) = arguments.images {
        settings.test.images = images;
    }
    Ok(settings)
}

/// What is to be done on this machine.
pub(crate) fn plan(arguments: &UpArgs, settings: &Settings) -> Plan {
    let plan = Plan::new(settings);
    if arguments.retrain { plan.refreshed() } else { plan }
}

/// Who carries out the plan on this machine.
pub(crate) fn local(settings: &Settings, state: &State, interrupt: &Interrupt) -> anyhow::Result<Local> {
    Local::new(settings, state, Programs::beside_this_one()?, interrupt.clone())
}

/// Who carries out the plan in a cluster.
pub(crate) fn there<'a>(
    arguments: &UpArgs,
    settings: &Settings,
    cluster: &'a Cluster,
    memory: &'a ClusterMemory<'a>,
) -> anyhow::Result<Kubernetes<'a>> {
    let manners = Manners {
        conflicts: match arguments.force_conflicts {
            true => Conflicts::Force,
            false => Conflicts::Tell,
        },
        leaves_all: arguments.retrain,
    };
    Kubernetes::new(cluster, settings, scene(arguments, settings)?, memory, manners)
}

/// What a cluster is asked for.
pub(crate) fn scene(arguments: &UpArgs, settings: &Settings) -> anyhow::Result<Scene> {
    let image = arguments
        .image
        .as_deref()
        .context("`--target kubernetes` needs an `--image`")?;
    let mut scene = Scene::new(settings, image, &arguments.target.cluster.namespace)?;
    if arguments.retrain {
        scene.plan = scene.plan.refreshed();
    }
    Ok(scene)
}

/// What the namespace remembers.
pub(crate) fn memory<'a>(cluster: &'a Cluster, settings: &Settings) -> anyhow::Result<ClusterMemory<'a>> {
    ClusterMemory::open(cluster, State::of_namespace(&settings.root, cluster.namespace()))
}

/// The delivery of a plan, with everything that it needs.
pub(crate) fn delivery<'a>(
    plan: &'a Plan,
    executor: &'a dyn Executor,
    memory: &'a dyn Memory,
    interrupt: &'a Interrupt,
    settings: &Settings,
) -> Delivery<'a> {
    Delivery {
        plan,
        executor,
        memory,
        interrupt,
        attempts: Attempts {
            max: settings.limits.attempts,
            pause: PAUSE,
        },
        say: &console::say,
    }
}
