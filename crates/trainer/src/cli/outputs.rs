//! Flags that say what a training writes while it runs.

use std::{num::NonZeroU32, path::PathBuf};

use clap::Args;

use super::limits::whole;
use crate::{checkpoints::CheckpointSettings, settings::OutputSettings};

/// Most steps from one point of the course to the next: their losses are kept.
const LOG_EVERY_MAX: u32 = 100_000;
/// Most checkpoints that are kept.
const KEPT_MAX: u32 = 1000;

/// Points of the course, and checkpoints.
#[derive(Debug, Clone, Args)]
pub struct OutputArgs {
    /// Steps from one line of the history to the next; a hundredth of all steps, unless given
    #[arg(long, value_name = "N", value_parser = log_every, allow_negative_numbers = true)]
    pub log_every: Option<NonZeroU32>,

    /// Write the course into an event file in this folder too, for TensorBoard
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    /// Steps from one checkpoint to the next; 0: none, also not on Ctrl-C
    #[arg(long, value_name = "N", default_value = "1000")]
    pub checkpoint_every: u32,

    /// How many of the newest checkpoints are kept
    #[arg(long, value_name = "N", default_value = "2", value_parser = kept, allow_negative_numbers = true)]
    pub checkpoints_kept: NonZeroU32,

    /// Go on where a run with the same settings was stopped; this is so anyway
    #[arg(long)]
    pub resume: bool,

    /// Begin anew, and remove the checkpoints of a run with the same settings
    #[arg(long, conflicts_with = "resume")]
    pub fresh: bool,
}

impl OutputArgs {
    pub(crate) fn checkpoints(&self) -> CheckpointSettings {
        CheckpointSettings {
            every: NonZeroU32::new(self.checkpoint_every),
            kept: self.checkpoints_kept,
            fresh: self.fresh,
        }
    }

    pub(crate) fn outputs(self) -> OutputSettings {
        OutputSettings {
            log_every: self.log_every,
            tensorboard: self.tensorboard,
        }
    }
}

fn log_every(text: &str) -> Result<NonZeroU32, String> {
    up_to("--log-every", text, LOG_EVERY_MAX)
}

fn kept(text: &str) -> Result<NonZeroU32, String> {
    up_to("--checkpoints-kept", text, KEPT_MAX)
}

fn up_to(flag: &str, text: &str, most: u32) -> Result<NonZeroU32, String> {
    whole(flag, text)
        .ok()
        .filter(|number| number.get() <= most)
        .ok_or_else(|| format!("`{flag}` takes a whole number from 1 to {most}"))
}
