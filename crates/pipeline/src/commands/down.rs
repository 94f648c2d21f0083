//! `pipeline down`: stops the service, and removes what runs left if asked to.

use std::{fs, io, path::Path, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;

use crate::{
    cli::{
        Project,
        cluster::{Target, TargetArgs},
    },
    executor::{Cluster, Held, Keep, Lease, remove},
    interrupt::Interrupt,
    service::ServiceFolder,
    settings::{Registry, Settings},
    state::State,
};

/// Longest time for the server's end, where the settings cannot be read.
const STOP_MAX: Duration = Duration::from_secs(15);

/// Longest time until nothing is left in a cluster: pods end first.
const GONE_MAX: Duration = Duration::from_secs(120);

/// Stop the server
#[derive(Debug, Args)]
pub struct DownArgs {
    #[command(flatten)]
    pub project: Project,

    /// Also remove what runs left: their state, the models and the registry. The data set stays
    #[arg(long)]
    pub all: bool,

    #[command(flatten)]
    pub target: TargetArgs,

    /// Leave the volumes, and what is known of them; without it nothing is left in the cluster
    #[arg(long, help_heading = "With --target kubernetes")]
    pub keep_data: bool,
}

/// Carries out `pipeline down`.
pub(crate) fn down(arguments: &DownArgs) -> anyhow::Result<ExitCode> {
    match arguments.target.target {
        Target::Local => here(arguments),
        Target::Kubernetes => there(arguments),
    }
}

fn there(arguments: &DownArgs) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let cluster = Cluster::connect(&arguments.target.cluster, &interrupt)?;
    let (keep, kept) = match arguments.keep_data {
        true => (Keep::Data, "; the volumes stay"),
        false => (Keep::Nothing, ""),
    };
    let folder = State::of_namespace(arguments.project.root(), cluster.namespace());
    let n_removed = {
        // Nobody delivers meanwhile; where the namespace is not there, there is nothing to hold.
        let _lease = match Lease::take(&cluster) {
            Err(error) if error.is::<Held>() => return Err(error),
            lease => lease.ok(),
        };
        remove(&cluster, keep, GONE_MAX)?
    };
    console::say(&format!(
        "removed {n_removed} objects from namespace `{}`{kept}",
        cluster.namespace()
    ));
    remove_folder(folder.folder())?;
    Ok(ExitCode::SUCCESS)
}

fn here(arguments: &DownArgs) -> anyhow::Result<ExitCode> {
    let root = arguments.project.root();
    let state = State::new(root);
    let settings = Settings::load(&arguments.project.config);
    // A server can be stopped whatever is wrong with the settings; what else is to be removed only they tell.
    let stop_max = settings.as_ref().map_or(STOP_MAX, |settings| settings.limits.stop_max);
    let removed = match (arguments.all, settings) {
        (true, settings) => {
            let settings = settings?;
            let mut folders = vec![settings.training.models_dir];
            match settings.server.registry {
                Registry::Folder(folder) => folders.push(folder),
                Registry::Bucket(bucket) => console::say(&format!("the registry `{}` stays as it is", bucket.url)),
            }
            folders
        }
        (false, _) => Vec::new(),
    };
    if !state.folder().exists() {
        console::say("the server does not run");
    } else {
        let _lock = state.lock()?;
        let has_run = ServiceFolder::new(state.folder()).stop(stop_max)?;
        console::say(if has_run {
            "the server has stopped"
        } else {
            "the server does not run"
        });
        if arguments.all {
            remove_folder(state.folder())?;
        }
    }
    for folder in removed {
        remove_folder(&root.join(&folder))?;
        // `models` around `models/mnist` was made by a run, too; what else is in it stays, and so does it.
        for parent in folder.ancestors().skip(1).filter(|parent| *parent != Path::new("")) {
            let _ = fs::remove_dir(root.join(parent));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn remove_folder(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Ok(()) => console::say(&format!("removed `{}`", folder.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot remove `{}`", folder.display())),
    }
    Ok(())
}
