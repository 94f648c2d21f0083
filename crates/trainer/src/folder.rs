//! A folder that receives files, each of them whole or not at all.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// How the name of a file begins that is not yet whole.
const STAGED: &str = ".";
/// How it ends.
const STAGED_END: &str = ".part";

/// A folder that was found writable.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder where it is missing, and finds out whether it can be written and has room for `bytes`.
    ///
    /// # Errors
    ///
    /// Where it cannot, or has not.
    pub(crate) fn open(path: &Path, bytes: usize) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        // This file has no name, so that nothing is left of it however the program ends.
        let mut probe = tempfile::tempfile_in(path)?;
        probe.write_all(&vec![0; bytes])?;
        probe.sync_all()?;
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one file so that a reader sees the old one or the new one, whole, and returns its path.
    ///
    /// # Errors
    ///
    /// Where the disk is full or fails; the old file is as it was.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        let mut staged = tempfile::Builder::new()
            .prefix(&format!("{STAGED}{name}."))
            .suffix(STAGED_END)
            // As any new file: the server that reads it may run as another user. The umask still applies.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&self.path)?;
        staged.write_all(bytes)?;
        staged.as_file().sync_all()?;
        staged.persist(&path)?;
        // The new name itself is safe only once the folder is.
        File::open(&self.path)?.sync_all()?;
        Ok(path)
    }

    /// Removes what a program left that was killed while it wrote. Only for who has the folder alone.
    pub(crate) fn sweep(&self) {
        for name in self.names() {
            if name.starts_with(STAGED) && name.ends_with(STAGED_END) {
                // What cannot be removed costs room, and harms nobody.
                let _ = fs::remove_file(self.path.join(name));
            }
        }
    }

    /// The names of everything in the folder, in their order; names that are no text are none of ours.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("deep/models");
        let folder = Folder::open(&path, 1000).unwrap();
        folder.write("a", b"first").unwrap();
        folder.write("a", b"second").unwrap();
        assert_eq!(fs::read(path.join("a")).unwrap(), b"second");
        assert_eq!(folder.names(), ["a"]);
    }

    #[test]
    fn sweeping_removes_what_was_not_finished_and_nothing_else() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path(), 0).unwrap();
        for name in ["a", ".a.Xy12ab.part", ".gitignore", "b.part"] {
            fs::write(temporary.path().join(name), b"").unwrap();
        }
        folder.sweep();
        assert_eq!(folder.names(), [".gitignore", "a", "b.part"]);
    }
}
