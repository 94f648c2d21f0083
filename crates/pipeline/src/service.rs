//! The folder of the background service: who it is, and a lock that it holds as long as it lives.
//!
//! The service takes the lock before it is the service (see `launch`) and never lets go of it, so "does it run?" is
//! one question to the kernel: no process id that was given to a stranger since, no gap between start and note.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::{decide::Key, files, interrupt::LOOK_EVERY};

/// Longest time in which a service that holds the lock must have written its document, or one that looks at the lock
/// must have let go of it. Both take well under a millisecond.
const SETTLE_MAX: Duration = Duration::from_secs(5);

/// `.pipeline/service`.
#[derive(Debug, Clone)]
pub(crate) struct ServiceFolder(PathBuf);

/// `server.json`: the service that was last started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceDocument {
    /// The format number of state documents.
    pub(crate) format: u32,
    /// Its process, which leads a process group of its own.
    pub(crate) pid: u32,
    /// With what it was started.
    pub(crate) key: Key,
    /// Where it answers.
    pub(crate) url: String,
    /// In milliseconds since 1970-01-01 UTC.
    pub(crate) started_at_ms: u64,
}

impl ServiceFolder {
    /// The folder below the folder of state.
    pub(crate) fn new(state: &Path) -> Self {
        Self(state.join("service"))
    }

    /// What the service writes to stdout and stderr.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("server.log")
    }

    /// The service, if it runs.
    pub(crate) fn running(&self) -> anyhow::Result<Option<ServiceDocument>> {
        let end = Instant::now() + SETTLE_MAX;
        while self.is_held()? {
            // Between taking the lock and writing its document a new service has none, or that of a dead one.
            match files::read_json::<ServiceDocument>(&self.document())? {
                Some(document) if is_alive(document.pid) => return Ok(Some(document)),
                _ if Instant::now() >= end => bail!("`{}` is held, but nobody says by whom", self.lock().display()),
                _ => thread::sleep(LOOK_EVERY),
            }
        }
        Ok(None)
    }

    /// Takes the lock for the service that this process is about to become.
    pub(crate) fn hold(&self) -> anyhow::Result<File> {
        fs::create_dir_all(&self.0).with_context(|| format!("cannot make `{}`", self.0.display()))?;
        let file = self.open(true)?;
        let end = Instant::now() + SETTLE_MAX;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the service's folder"),
                Err(TryLockError::WouldBlock) if Instant::now() >= end => bail!("a service runs here already"),
                // Whoever only looks holds the lock for a moment, too.
                Err(TryLockError::WouldBlock) => thread::sleep(LOOK_EVERY),
            }
        }
    }

    /// Notes who the service is.
    pub(crate) fn write(&self, document: &ServiceDocument) -> anyhow::Result<()> {
        files::write_json(&self.document(), document)
    }

    /// Stops the service: asks it to end, and kills it after `limit`. `false` where none ran.
    pub(crate) fn stop(&self, limit: Duration) -> anyhow::Result<bool> {
        let Some(document) = self.running()? else {
            return Ok(false);
        };
        for (signal, limit) in [(Signal::TERM, limit), (Signal::KILL, SETTLE_MAX)] {
            let group = pid(document.pid).context("the service's document names no process")?;
            // It may have ended by itself just now, which is what we want.
            let _ = kill_process_group(group, signal);
            let end = Instant::now() + limit;
            while Instant::now() < end {
                if !self.is_held()? {
                    return Ok(true);
                }
                thread::sleep(LOOK_EVERY);
            }
        }
        bail!("process {} does not end, not even when killed", document.pid)
    }

    fn is_held(&self) -> anyhow::Result<bool> {
        if !self.lock().exists() {
            return Ok(false);
        }
        match self.open(false)?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error).context("cannot look at the service's lock"),
        }
    }

    fn open(&self, create: bool) -> anyhow::Result<File> {
        let path = self.lock();
        let mut options = File::options();
        let options = options.create(create).read(true).append(create);
        options
            .open(&path)
            .with_context(|| format!("cannot open `{}`", path.display()))
    }

    fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    fn document(&self) -> PathBuf {
        self.0.join("server.json")
    }
}

/// Whether there is a process of this id.
pub(crate) fn is_alive(id: u32) -> bool {
    pid(id).is_some_and(|pid| test_kill_process(pid).is_ok())
}

fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}
