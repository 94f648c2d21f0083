//! How a plan is carried out somewhere: what an executor must know, and nothing about which steps there are or why
//! they run.

mod kubernetes;
mod local;

use std::{fmt, time::Duration};

use formats::digest::Digest;

pub(crate) use kubernetes::{
    CERTIFICATES, Cluster, ClusterMemory, Conflict, Conflicts, Denied, Forward, ForwardTarget, Held, Keep, Kubernetes,
    Lease, Manners, Scene, Trouble, Unreachable, address, deployed, follow_logs, management, nobody, remove,
};
pub(crate) use local::{AddressTaken, Local, MissingProgram, Programs, TaskLimits, run_command};

use crate::{
    decide::{Key, Service, Standing},
    plan::{Location, Step},
    state::RunId,
};

/// Runs the steps of a plan, and sees what they left.
pub(crate) trait Executor {
    /// With what the step would run now.
    fn key(&self, step: &Step) -> anyhow::Result<Key>;

    /// The digest of a file; nothing where there is no file.
    fn digest(&self, location: &Location) -> anyhow::Result<Option<Digest>>;

    /// Whether what a finished step did to the server is still there.
    fn standing(&self, step: &Step) -> anyhow::Result<Standing>;

    /// Runs a task to its end, and hands on each line that it writes.
    fn run(&self, step: &Step, run: &RunId, output: &mut dyn FnMut(&str)) -> anyhow::Result<Ended>;

    /// The service as it is.
    fn service(&self) -> anyhow::Result<Service>;

    /// Starts a service, in place of the one that runs, and returns once it is ready.
    fn start(&self, step: &Step, key: &Key, run: &RunId) -> anyhow::Result<Ended>;
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this exit code.
    Code(u8),
    /// By a signal that we did not send.
    Signal(i32),
    /// It took longer than this and was stopped.
    TimedOut(Duration),
    /// Somebody pressed Ctrl-C, and it was stopped.
    Interrupted,
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "ended with exit code {code}"),
            Self::Signal(signal) => write!(formatter, "was ended by signal {signal}"),
            Self::TimedOut(limit) => write!(
                formatter,
                "took longer than {} s (key `limits.task_seconds`) and was stopped",
                limit.as_secs()
            ),
            Self::Interrupted => write!(formatter, "was interrupted"),
        }
    }
}
