//! The folder that receives the artifact and its report.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// A folder that was found writable, with room for what is to come.
pub(crate) struct ModelsDir {
    path: PathBuf,
}

impl ModelsDir {
    /// Makes the folder where it is missing, and finds out now what would otherwise fail after the training: a folder
    /// that cannot be written, a disk without room for `bytes`, a folder in the place of one of the files.
    pub(crate) fn open(path: &Path, bytes: usize, names: &[&str]) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write to the models folder `{}`", path.display());
        fs::create_dir_all(path).with_context(cannot)?;
        for name in names {
            if path.join(name).is_dir() {
                bail!("expected a file, found the folder `{}`", path.join(name).display());
            }
        }
        // This file has no name, so that nothing is left of it however the program ends.
        let mut probe = tempfile::tempfile_in(path).with_context(cannot)?;
        probe.write_all(&vec![0; bytes]).with_context(cannot)?;
        probe.sync_all().with_context(cannot)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Writes one file so that a reader sees the old one or the new one, whole, and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        self.replace(name, bytes)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut staged = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            // As any new file: the server that reads it may run as another user. The umask still applies.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&self.path)?;
        staged.write_all(bytes)?;
        staged.as_file().sync_all()?;
        staged.persist(self.path.join(name))?;
        // The new name itself is safe only once the folder is.
        File::open(&self.path)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/models");
        let models_dir = ModelsDir::open(&path, 1000, &["a"]).unwrap();
        models_dir.write("a", b"first").unwrap();
        models_dir.write("a", b"second").unwrap();
        assert_eq!(fs::read(path.join("a")).unwrap(), b"second");
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_in_the_place_of_the_artifact_is_found_before_training() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        assert!(ModelsDir::open(folder.path(), 0, &["a"]).is_err());
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("models");
        fs::write(&file, b"").unwrap();
        let error = ModelsDir::open(&file, 0, &[]).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!("cannot write to the models folder `{}`", file.display())
        );
    }
}
