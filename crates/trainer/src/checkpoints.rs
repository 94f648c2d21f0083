//! The checkpoints of a training: written while it runs, found again by the next run with the same settings.

mod writer;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    num::NonZeroU32,
};

use anyhow::Context;
use formats::digest::Digest;
use model::Checkpoint;
use tracing::{info, warn};

pub(crate) use self::writer::CheckpointWriter;
use crate::{folder::Folder, models_dir::ModelsDir};

/// The folder in the models folder.
const FOLDER: &str = "checkpoints";
/// How the name of a checkpoint ends.
const EXTENSION: &str = "safetensors";
/// Digits of the step in a name: names are in the order of their steps.
const STEP_DIGITS: usize = 10;
/// The largest checkpoint of any network that an artifact may hold is far below; a larger file is none of ours.
const BYTES_MAX: u64 = 1 << 30;

/// When checkpoints are written, and how many stay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckpointSettings {
    /// Steps from one to the next; `None` writes none.
    pub(crate) every: Option<NonZeroU32>,
    /// How many of the newest are kept.
    pub(crate) kept: NonZeroU32,
    /// Start from the beginning and remove those that are there.
    pub(crate) fresh: bool,
}

/// The checkpoints of all trainings with the same settings, in one folder.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    folder: Folder,
    settings: BTreeMap<String, String>,
    /// Before the step in each name: the beginning of the digest of the settings.
    prefix: String,
    n_kept: usize,
}

impl Checkpoints {
    /// Makes the folder ready for a training with these settings.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written.
    pub(crate) fn open(
        models_dir: &ModelsDir,
        settings: BTreeMap<String, String>,
        kept: NonZeroU32,
    ) -> anyhow::Result<Self> {
        let path = models_dir.folder().path().join(FOLDER);
        let folder = Folder::open(&path, 0)
            .with_context(|| format!("cannot write to the checkpoints folder `{}`", path.display()))?;
        folder.sweep();
        let text = serde_json::to_string(&settings).context("cannot put the settings into words")?;
        Ok(Self {
            folder,
            prefix: format!("{}-", Digest::of(text.as_bytes()).short()),
            settings,
            n_kept: usize::try_from(kept.get())?,
        })
    }

    /// Everything that decides the weights, as the header of a checkpoint has it.
    pub(crate) fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// The newest checkpoint that is whole. Those that are damaged are named, and the one before is taken.
    pub(crate) fn newest(&self) -> Option<Checkpoint> {
        let n_others = self.folder.names().len() - self.own().len();
        if n_others > 0 {
            let folder = self.folder.path().display();
            info!(n_others, %folder, "checkpoints of other settings are left alone");
        }
        let mut names = self.own();
        while let Some(name) = names.pop() {
            let path = self.folder.path().join(&name);
            match self.read(&name) {
                Ok(checkpoint) => {
                    info!(step = checkpoint.header.step, checkpoint = %path.display(), "going on from a checkpoint");
                    return Some(checkpoint);
                }
                Err(error) => {
                    let next = if names.is_empty() {
                        "starting from the beginning"
                    } else {
                        "taking the one before"
                    };
                    warn!("cannot go on from `{}`: {error:#}; {next}", path.display());
                }
            }
        }
        None
    }

    /// Writes a checkpoint and removes those that are too many then.
    ///
    /// # Errors
    ///
    /// Where it cannot be written; those before are still there.
    pub(crate) fn write(&self, checkpoint: &Checkpoint) -> anyhow::Result<()> {
        let name = format!("{}{:0STEP_DIGITS$}.{EXTENSION}", self.prefix, checkpoint.header.step);
        self.folder.write(&name, &checkpoint.encode()?)?;
        let mut names = self.own();
        names.truncate(names.len().saturating_sub(self.n_kept));
        names.iter().for_each(|name| self.remove(name));
        Ok(())
    }

    /// Removes all checkpoints of these settings.
    pub(crate) fn clear(&self) {
        self.own().iter().for_each(|name| self.remove(name));
    }

    /// Removes them because nobody will go on from them, and the folder if nothing else is in it.
    pub(crate) fn close(&self) {
        self.clear();
        // It stays where it holds checkpoints of other settings.
        let _ = fs::remove_dir(self.folder.path());
    }

    fn remove(&self, name: &str) {
        let path = self.folder.path().join(name);
        if let Err(error) = fs::remove_file(&path) {
            warn!("cannot remove the checkpoint `{}`: {error}", path.display());
        }
    }

    /// The names of all checkpoints of these settings, the newest last.
    fn own(&self) -> Vec<String> {
        let mut names = self.folder.names();
        names.retain(|name| {
            let step = name.strip_prefix(&self.prefix).and_then(|rest| rest.split_once('.'));
            step.is_some_and(|(step, extension)| step.len() == STEP_DIGITS && extension == EXTENSION)
        });
        names
    }

    fn read(&self, name: &str) -> anyhow::Result<Checkpoint> {
        let mut bytes = Vec::new();
        let file = File::open(self.folder.path().join(name))?;
        file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        let checkpoint = Checkpoint::read(&bytes)?;
        anyhow::ensure!(
            checkpoint.header.settings == self.settings,
            "it is of other settings, in spite of its name"
        );
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests;
