//! One delivery at a time in one folder.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use thiserror::Error;

use crate::{interrupt::LOOK_EVERY, service::is_alive};

/// The lock that tasks share as long as they live, in the folder of state.
const TASKS: &str = "tasks";

/// Longest time that what a killed delivery started may take to end.
const SETTLE_MAX: Duration = Duration::from_secs(10);

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
    let end = Instant::now() + SETTLE_MAX;
    while let Err(error) = file.try_lock() {
        if let TryLockError::Error(error) = error {
            return Err(error).with_context(context);
        }
        let holder = holder(path);
        if holder.is_none_or(is_alive) || Instant::now() >= end {
            return Err(Locked(holder).into());
        }
        thread::sleep(LOOK_EVERY);
    }
    wait_for_tasks(&path.with_file_name(TASKS), end)?;
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .with_context(context)?;
    Ok(Lock { _file: file })
}

/// Takes the lock that tasks share, for the task that this process is about to become.
pub(crate) fn hold_as_task(state: &Path) -> anyhow::Result<File> {
    let path = state.join(TASKS);
    let context = || format!("cannot lock `{}`", path.display());
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(context)?;
    file.lock_shared().with_context(context)?;
    Ok(file)
}

/// The task of a killed delivery is told to end, but may still be writing: what it leaves must not come after ours.
fn wait_for_tasks(path: &Path, end: Instant) -> anyhow::Result<()> {
    let context = || format!("cannot lock `{}`", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.with_context(context)?,
    };
    while let Err(error) = file.try_lock() {
        match error {
            TryLockError::Error(error) => return Err(error).with_context(context),
            TryLockError::WouldBlock if Instant::now() >= end => bail!("a step of an earlier delivery does not end"),
            TryLockError::WouldBlock => thread::sleep(LOOK_EVERY),
        }
    }
    Ok(())
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

    /// `up` right after a `kill -9` now and then found the folder taken by the process that had just been killed.
    #[test]
    fn a_lock_that_a_dead_process_left_behind_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let left = lock(&path).unwrap();
        let mut dead = std::process::Command::new("true").spawn().unwrap();
        dead.wait().unwrap();
        fs::write(&path, format!("{}\n", dead.id())).unwrap();
        let release = thread::spawn(move || {
            thread::yield_now();
            drop(left);
        });
        lock(&path).unwrap();
        release.join().unwrap();
    }
}
