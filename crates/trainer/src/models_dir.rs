//! The folder that receives what a training leaves.

use std::{
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use thiserror::Error;
use tracing::warn;

use crate::folder::Folder;

/// A folder that was found writable, with room for what is to come, and that no other training works in.
pub(crate) struct ModelsDir {
    folder: Folder,
    /// The lock is on the folder itself, so that no file tells of it; it ends with the program, however that ends.
    _lock: File,
}

/// Two trainings in one folder would write over each other's files.
#[derive(Debug, Error)]
#[error("another training is at work in the models folder `{}`", path.display())]
pub struct Occupied {
    /// The folder.
    pub path: PathBuf,
}

impl ModelsDir {
    /// Makes the folder where it is missing, and finds out now what would otherwise fail after the training: a folder
    /// that cannot be written, a disk without room for `bytes`, a folder in the place of one of the files `names`.
    ///
    /// # Errors
    ///
    /// One of these, or [`Occupied`].
    pub(crate) fn open(path: &Path, bytes: usize, names: &[String]) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write to the models folder `{}`", path.display());
        let folder = Folder::open(path, bytes).with_context(cannot)?;
        for name in names {
            if path.join(name).is_dir() {
                bail!("expected a file, found the folder `{}`", path.join(name).display());
            }
        }
        let lock = File::open(path).with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => folder.sweep(),
            Err(TryLockError::WouldBlock) => bail!(Occupied { path: path.to_owned() }),
            // Some network file systems have no locks; that is no reason not to train.
            Err(TryLockError::Error(error)) => {
                let folder = path.display();
                warn!(%folder, %error, "cannot lock the models folder: a second training there would go unnoticed");
            }
        }
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Writes one file so that a reader sees the old one or the new one, whole, and returns its path.
    ///
    /// # Errors
    ///
    /// Where the disk is full or fails; the old file is as it was.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let written = self.folder.write(name, bytes);
        written.with_context(|| format!("cannot write `{}`", self.folder.path().join(name).display()))
    }

    /// Removes one file, where it is there.
    ///
    /// # Errors
    ///
    /// Where it is there and stays.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        let path = self.folder.path().join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_the_place_of_the_artifact_is_found_before_training() {
        let temporary = tempfile::tempdir().unwrap();
        fs::create_dir(temporary.path().join("a")).unwrap();
        assert!(ModelsDir::open(temporary.path(), 0, &["a".to_owned()]).is_err());
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("models");
        fs::write(&file, b"").unwrap();
        let error = ModelsDir::open(&file, 0, &[]).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!("cannot write to the models folder `{}`", file.display())
        );
    }

    #[test]
    fn a_file_is_removed_where_it_is_there() {
        let temporary = tempfile::tempdir().unwrap();
        let models_dir = ModelsDir::open(temporary.path(), 0, &[]).unwrap();
        let path = models_dir.write("a", b"bad").unwrap();
        models_dir.remove("a").unwrap();
        models_dir.remove("a").unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_is_one_trainings_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let first = ModelsDir::open(temporary.path(), 0, &[]).unwrap();
        let error = ModelsDir::open(temporary.path(), 0, &[]).err().unwrap();
        assert!(error.downcast_ref::<Occupied>().is_some(), "{error:#}");
        drop(first);
        assert!(ModelsDir::open(temporary.path(), 0, &[]).is_ok());
    }
}
