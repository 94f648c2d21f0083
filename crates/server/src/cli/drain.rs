//! The part of the command line that says how a server ends.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use clap::Args;

use crate::DrainTimes;

/// Delay after SIGTERM where nobody sits in front of the server: two looks of a probe that looks every two seconds.
const DELAY: Duration = Duration::from_secs(5);

/// How a server ends.
#[derive(Debug, Args)]
#[command(next_help_heading = "End")]
pub struct DrainArgs {
    /// How long to go on answering after SIGTERM or Ctrl-C, while `/readyz` says no already, in milliseconds; at most
    /// `--drain-max-ms` [default: 5000, on a terminal 0]
    #[arg(long, env = "DRAIN_DELAY_MS", value_name = "MS")]
    pub drain_delay_ms: Option<u64>,

    /// Longest time from SIGTERM or Ctrl-C to the end, the delay included, in milliseconds; requests that are not
    /// finished by then are given up
    #[arg(long, env = "DRAIN_MAX_MS", default_value = "9000", value_name = "MS")]
    pub drain_max_ms: u64,
}

impl DrainArgs {
    /// When the server does what at its end.
    pub(crate) fn times(&self) -> DrainTimes {
        let max = Duration::from_millis(self.drain_max_ms);
        let by_default = if io::stderr().is_terminal() {
            Duration::ZERO
        } else {
            DELAY
        };
        DrainTimes {
            delay: self.drain_delay_ms.map_or(by_default, Duration::from_millis).min(max),
            max,
        }
    }
}
