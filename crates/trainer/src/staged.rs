//! Files and folders that a reader sees whole or not at all.
//!
//! Each is written under a staging name beside its place, synced, and then renamed.

use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::Builder;

/// What shall happen to what lies in the place already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and nothing is written.
    Refuse,
    /// It gives way, once the new one is whole.
    Replace,
}

/// Writes a file; the folder above it is made where it is missing.
///
/// # Errors
///
/// Whatever the file system has against it; what lay there is untouched then.
pub(crate) fn write_file(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    let folder = folder_of(path)?;
    // As any new file: who reads it may be another user. The umask still applies.
    let mut staged = Builder::new()
        .prefix(&staging_prefix(path))
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(&folder)?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    match existing {
        Existing::Refuse => staged.persist_noclobber(path)?,
        Existing::Replace => staged.persist(path)?,
    };
    sync(&folder)
}

/// Writes a folder with `files`, given by their paths below it.
///
/// A folder cannot be renamed over another one, so an old one is moved aside for the moment of the change: a reader may
/// find none, but never a mixture, and a failure brings the old one back.
///
/// # Errors
///
/// Whatever the file system has against it; what lay there is untouched then.
pub(crate) fn write_folder(path: &Path, files: &[(&str, &[u8])], existing: Existing) -> io::Result<()> {
    let folder = folder_of(path)?;
    let staged = Builder::new()
        .prefix(&staging_prefix(path))
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(&folder)?;
    for (name, bytes) in files {
        let path = staged.path().join(name);
        let inner = folder_of(&path)?;
        let mut file = File::create_new(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        sync(&inner)?;
    }
    sync(staged.path())?;
    let is_there = fs::symlink_metadata(path).is_ok();
    match existing {
        Existing::Refuse if is_there => return Err(io::ErrorKind::AlreadyExists.into()),
        Existing::Replace if is_there => exchange(path, staged.path(), &folder)?,
        _ => fs::rename(staged.path(), path)?,
    }
    // Nothing lies under the staging name any more.
    let _ = staged.keep();
    sync(&folder)
}

/// Puts `new` in the place of the folder at `path`, which is removed.
fn exchange(path: &Path, new: &Path, folder: &Path) -> io::Result<()> {
    let aside = Builder::new().prefix(&staging_prefix(path)).tempdir_in(folder)?;
    let old = aside.path().join("old");
    fs::rename(path, &old)?;
    if let Err(error) = fs::rename(new, path) {
        if fs::rename(&old, path).is_err() {
            // It must not be lost with the folder that it was moved into.
            let _ = aside.keep();
        }
        return Err(error);
    }
    Ok(())
}

/// The folder in which `path` lies, made where it is missing.
fn folder_of(path: &Path) -> io::Result<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}

/// A hidden name beside `path`, which tells whose it is if a program was killed and left it.
fn staging_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that lies directly in a folder, hidden or not.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/file");
        write_file(&path, b"first", Existing::Refuse).unwrap();
        assert!(write_file(&path, b"second", Existing::Refuse).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write_file(&path, b"third", Existing::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third");
        assert_eq!(names(&folder.path().join("deep")), ["file"]);
    }

    #[test]
    fn a_folder_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/folder");
        write_folder(&path, &[("a", b"1"), ("inner/b", b"2")], Existing::Refuse).unwrap();
        assert!(write_folder(&path, &[("c", b"3")], Existing::Refuse).is_err());
        assert_eq!(names(&path), ["a", "inner"]);
        write_folder(&path, &[("c", b"3")], Existing::Replace).unwrap();
        assert_eq!(names(&path), ["c"]);
        assert_eq!(names(&folder.path().join("deep")), ["folder"]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_whole_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("folder");
        write_folder(&path, &[("a", b"1")], Existing::Refuse).unwrap();
        // The second name asks for a folder where the first one has put a file.
        assert!(write_folder(&path, &[("b", b"2"), ("b/c", b"3")], Existing::Replace).is_err());
        assert_eq!(names(&path), ["a"]);
        assert_eq!(names(folder.path()), ["folder"]);
    }
}
