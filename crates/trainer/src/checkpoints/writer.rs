//! Writes checkpoints while the training goes on.

use std::{
    collections::BTreeMap,
    sync::mpsc::{self, SyncSender, TrySendError},
    thread::{self, JoinHandle},
};

use model::Checkpoint;
use tracing::{debug, warn};

use super::Checkpoints;

/// A thread that writes one checkpoint after the other.
pub(crate) struct CheckpointWriter {
    sender: SyncSender<Checkpoint>,
    thread: JoinHandle<()>,
    settings: BTreeMap<String, String>,
}

impl CheckpointWriter {
    pub(crate) fn start(checkpoints: Checkpoints) -> Self {
        let settings = checkpoints.settings().clone();
        // One may wait while another is written: no more memory than that, however slow the disk.
        let (sender, receiver) = mpsc::sync_channel::<Checkpoint>(1);
        let thread = thread::spawn(move || {
            for checkpoint in receiver {
                let step = checkpoint.header.step;
                match checkpoints.write(&checkpoint) {
                    Ok(()) => debug!(step, "wrote a checkpoint"),
                    // The training itself needs none, and the disk may have room again at the next one.
                    Err(error) => warn!("cannot write the checkpoint of step {step}, going on without: {error:#}"),
                }
            }
        });
        Self {
            sender,
            thread,
            settings,
        }
    }

    /// What the headers of its checkpoints say of the settings.
    pub(crate) fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// Hands a checkpoint over and returns at once. Where the disk is too slow for that, this one is left out.
    pub(crate) fn offer(&self, checkpoint: Checkpoint) {
        if let Err(TrySendError::Full(checkpoint)) = self.sender.try_send(checkpoint) {
            let step = checkpoint.header.step;
            debug!(step, "left out a checkpoint: the two before are still being written");
        }
    }

    /// Waits until everything that was handed over is written.
    pub(crate) fn finish(self) {
        drop(self.sender);
        if self.thread.join().is_err() {
            warn!("the thread that writes checkpoints has panicked; the training does not depend on it");
        }
    }
}
