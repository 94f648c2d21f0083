//! One delivery at a time in one folder.

use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::Path,
};

use anyhow::Context;
use thiserror::Error;

/// Held as long as this value lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Another delivery has the folder.
#[derive(Debug, Error)]
#[error("another `pipeline` works in this folder{}", of(.0))]
pub(crate) struct Locked(Option<u32>);

pub(super) fn lock(path: &Path) -> anyhow::Result<Lock> {
    let context = || format!("cannot lock `{}`", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(context)?;
    }
    // Not truncated on opening: the process id in it belongs to whoever holds the lock.
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(context)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Locked(holder(path)).into()),
        Err(TryLockError::Error(error)) => return Err(error).with_context(context),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .with_context(context)?;
    Ok(Lock { _file: file })
}

/// The process that holds the lock, if any.
pub(crate) fn delivering(path: &Path) -> Option<u32> {
    let file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => holder(path),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

fn holder(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Between taking the lock and writing its id, the other process has no name yet.
fn of(holder: &Option<u32>) -> String {
    holder.map_or_else(String::new, |id| format!(" (process {id})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = lock(&path).unwrap();
        let me = std::process::id();
        let error = lock(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("another `pipeline` works in this folder (process {me})")
        );
        assert_eq!(delivering(&path), Some(me));
        drop(first);
        assert_eq!(delivering(&path), None);
        lock(&path).unwrap();
    }
}
