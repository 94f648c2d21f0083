//! Getting the four files: from where they are, from a source, verified, all at once in their place or not at all.
//!
//! The order of sources is the caller's; each is asked for what is still missing until nothing is. A file appears under
//! its name by a rename, after its content has been unpacked and compared with the pinned digest.

mod arrival;
mod content;
mod fetch;
mod npm;
mod source;
mod staging;
mod transfer;
mod watch;

use std::error::Error;
use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::dataset::{Dataset, LoadError};
use crate::files::{FILES, KnownFile, Split};
use content::UNPACKED_BYTES_MAX;
use source::{Failure, Job};
use staging::Staging;
use watch::Watch;

pub use content::{ContentError, accept};
pub use fetch::FetchError;
pub use npm::{NpmError, take_out};
pub use source::{Source, SourceError};
pub use watch::Event;

/// How the files are to be had.
#[derive(Clone, Debug)]
pub struct DownloadSettings {
    /// Where from, in the order in which they are tried.
    pub sources: Vec<Source>,
    /// Accept any data set in IDX format instead of MNIST alone.
    pub any_digest: bool,
    /// Fetch files with unknown digests even where they are there already, and put them in their place. Those of MNIST
    /// never change.
    pub refresh: bool,
    pub limits: Limits,
}

/// How long a download waits for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection to a server.
    pub connect_max: Duration,
    /// For the next bytes of a file.
    pub stall_max: Duration,
    /// Attempts in a row that bring nothing, until a source is given up.
    pub attempts_max: NonZeroU32,
    /// After the first vain attempt; doubled after each further one.
    pub pause_first: Duration,
    /// For the `npm` program.
    pub npm_max: Duration,
}

/// What a download found and did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadSummary {
    pub n_present: usize,
    pub n_fetched: usize,
}

/// How a file in the data folder stands.
#[derive(Debug)]
pub enum FileState {
    /// Whole, with the digest that it should have (or with any, where any was allowed).
    Good,
    Missing,
    Wrong(ContentError),
}

/// Why the files are not there.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error("no source gave {}{}", names(missing), lines(attempts))]
    NoSource {
        missing: Vec<KnownFile>,
        attempts: Vec<Attempt>,
    },
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("the files make no data set")]
    Unfit(#[source] LoadError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A source that was tried in vain.
#[derive(Debug)]
pub struct Attempt {
    pub source: Source,
    pub error: SourceError,
}

/// The data folder, or something in it, refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub struct FolderError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Told to stop; nothing half-done is visible.
#[derive(Debug, thiserror::Error)]
#[error("stopped before all files were there")]
pub struct Interrupted;

/// Sees to it that `data_dir` holds the four files; does nothing if it does.
///
/// `stop` is looked at all the time and ends the work within a fraction of a second; `report` is told what goes on.
pub fn ensure(
    data_dir: &Path,
    settings: &DownloadSettings,
    stop: &AtomicBool,
    report: &mut dyn FnMut(Event<'_>),
) -> Result<DownloadSummary, DownloadError> {
    let mut watch = Watch { stop, report };
    let mut wanted = wanted(data_dir, settings)?;
    if !wanted.is_empty() {
        let staging = Staging::open(data_dir, settings.refresh, &mut watch)?;
        // Another download may have worked in the folder until a moment ago.
        wanted = self::wanted(data_dir, settings)?;
        fetch_from_sources(&wanted, settings, &staging, &mut watch)?;
        staging.remove()?;
    }
    if settings.any_digest {
        // Files whose digest is not pinned may each be whole and still not belong together.
        for split in [Split::Train, Split::Test] {
            Dataset::load(data_dir, split, 256).map_err(DownloadError::Unfit)?;
        }
    }
    Ok(DownloadSummary {
        n_present: FILES.len() - wanted.len(),
        n_fetched: wanted.len(),
    })
}

/// How each of the four files in `data_dir` stands.
pub fn verify(data_dir: &Path, any_digest: bool) -> Result<Vec<(KnownFile, FileState)>, FolderError> {
    let states = FILES
        .iter()
        .map(|known| Ok((*known, state(data_dir, known, any_digest)?)));
    states.collect()
}

fn wanted(data_dir: &Path, settings: &DownloadSettings) -> Result<Vec<KnownFile>, FolderError> {
    if settings.refresh && settings.any_digest {
        return Ok(FILES.to_vec());
    }
    let states = verify(data_dir, settings.any_digest)?.into_iter();
    Ok(states
        .filter(|(_, state)| !matches!(state, FileState::Good))
        .map(|(known, _)| known)
        .collect())
}

fn state(data_dir: &Path, known: &KnownFile, any_digest: bool) -> Result<FileState, FolderError> {
    let path = data_dir.join(known.name);
    // A file that cannot be ours by its size is not read into memory as a whole.
    let content = fs::File::open(&path).and_then(|file| {
        let mut content = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, UNPACKED_BYTES_MAX + 1), &mut content)?;
        Ok(content)
    });
    match content {
        Ok(content) => {
            Ok(content::check(&content, known, any_digest).map_or_else(FileState::Wrong, |()| FileState::Good))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(FileState::Missing),
        Err(source) => Err(FolderError::new("read", &path, source)),
    }
}

fn fetch_from_sources(
    wanted: &[KnownFile],
    settings: &DownloadSettings,
    staging: &Staging,
    watch: &mut Watch<'_>,
) -> Result<(), DownloadError> {
    let mut missing = wanted.to_vec();
    let mut attempts = Vec::new();
    for (number, source) in settings.sources.iter().enumerate() {
        if missing.is_empty() {
            break;
        }
        watch.report(Event::Note(&format!(
            "{} of {} files from {source}",
            missing.len(),
            FILES.len()
        )));
        let job = Job {
            wanted: &missing.clone(),
            staging,
            limits: &settings.limits,
            is_last: number + 1 == settings.sources.len(),
        };
        let mut publish = |known: &KnownFile, bytes, place: &str, watch: &mut Watch<'_>| {
            let content =
                content::accept(bytes, known, settings.any_digest).map_err(|source| SourceError::Content {
                    place: place.to_owned(),
                    name: known.name,
                    source,
                })?;
            staging.publish(known, &content, watch)?;
            missing.retain(|other| other != known);
            watch.report(Event::Published {
                file: known.name,
                source: place,
            });
            Ok(())
        };
        match source.get(&job, &mut publish, watch) {
            Ok(()) => {}
            Err(Failure::Stop(error)) => return Err(error),
            Err(Failure::Source(error)) => {
                let attempt = Attempt {
                    source: source.clone(),
                    error,
                };
                // The last one is told by the error itself.
                if !job.is_last {
                    watch.report(Event::Note(&format!("in vain: {attempt}")));
                }
                attempts.push(attempt);
            }
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(DownloadError::NoSource { missing, attempts })
    }
}

impl DownloadSettings {
    /// MNIST from the public sources, with the standard limits.
    pub fn public() -> Self {
        Self {
            sources: Source::public(),
            any_digest: false,
            refresh: false,
            limits: Limits::STANDARD,
        }
    }
}

impl Limits {
    /// Short enough that a machine without internet access gets to the last source within seconds.
    pub const STANDARD: Self = Self {
        connect_max: Duration::from_secs(3),
        stall_max: Duration::from_secs(20),
        attempts_max: NonZeroU32::new(5).expect("five is not zero"),
        pause_first: Duration::from_millis(300),
        npm_max: Duration::from_secs(180),
    };
}

impl DownloadError {
    /// Whether the same download may succeed at another time.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoSource { attempts, .. } => attempts.iter().any(|attempt| attempt.error.may_pass()),
            Self::Folder(_) | Self::Unfit(_) | Self::Interrupted(_) => false,
        }
    }
}

impl FolderError {
    fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self {
            action,
            path: path.to_owned(),
            source,
        }
    }
}

impl std::fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.source, chain(&self.error))
    }
}

/// An error and its causes on one line, for where several errors are told side by side.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

fn names(files: &[KnownFile]) -> String {
    let names: Vec<String> = files.iter().map(|known| format!("`{}`", known.name)).collect();
    names.join(", ")
}

fn lines(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("\n    {attempt}")).collect()
}
