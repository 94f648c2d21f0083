//! `pipeline forward`: a port of this machine leads to the server in a cluster.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;
use console::exit;

use crate::{
    cli::cluster::ClusterArgs,
    executor::{Cluster, Forward, ForwardTarget},
    interrupt::Interrupt,
};

/// Where it is where nobody says otherwise.
pub(crate) const PORT: u16 = 8080;

/// Lead a port of this machine to the server in a cluster, until Ctrl-C
#[derive(Debug, Args)]
pub struct ForwardArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = PORT, value_name = "N")]
    pub port: u16,

    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Carries out `pipeline forward`.
pub(crate) fn forward(arguments: &ForwardArgs) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let cluster = Cluster::connect(&arguments.cluster, &interrupt)?;
    let forward = Forward::open(&cluster, ForwardTarget::Ready, arguments.port)?;
    console::print(&format!("{} leads to the server; Ctrl-C ends it", forward.url()));
    while !interrupt.is_set() {
        interrupt.pause(Duration::from_secs(60));
    }
    Ok(ExitCode::from(exit::DONE))
}
