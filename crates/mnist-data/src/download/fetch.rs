//! Fetching a file over HTTP: going on where it broke off, and trying again what may pass.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use ureq::{Agent, Timeout};

use super::arrival::Arrival;
use super::source::{Failure, Job, Sink, SourceError};
use super::transfer::{self, Message};
use super::watch::{Event, STOP_LATENCY, Watch};
use super::{FolderError, Interrupted, chain};
use crate::files::KnownFile;

/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("no connection")]
    NoConnection(#[source] ureq::Error),
    #[error("no usable answer")]
    NoAnswer(#[source] ureq::Error),
    #[error("the connection broke after {n_bytes} bytes")]
    Broken {
        n_bytes: u64,
        #[source]
        source: io::Error,
    },
    #[error("the connection ended after {n_bytes} of {n_bytes_total} bytes")]
    CutOff { n_bytes: u64, n_bytes_total: u64 },
    #[error("nothing came for {} s after {n_bytes} bytes", stall_max.as_secs_f32())]
    Stalled { n_bytes: u64, stall_max: Duration },
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
}

/// Fetches files into a staging folder.
pub(crate) struct Fetcher<'a> {
    agent: Agent,
    job: &'a Job<'a>,
}

/// How one attempt ended without the whole file.
pub(super) enum Setback {
    Fetch(FetchError),
    Stop(Failure),
}

impl<'a> Fetcher<'a> {
    pub(crate) fn new(job: &'a Job<'a>) -> Self {
        Self {
            agent: transfer::agent(job.limits.connect_max, job.limits.stall_max),
            job,
        }
    }

    /// Fetches `known` from the folder at `base`, packed or, where that does not exist, unpacked.
    pub(crate) fn get(
        &self,
        base: &str,
        known: &KnownFile,
        sink: &mut Sink<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Failure> {
        for name in [format!("{}.gz", known.name), known.name.to_owned()] {
            let url = format!("{base}{name}");
            match self.get_url(&url, known, sink, watch) {
                Err(Failure::Source(SourceError::Fetch {
                    source: FetchError::Status(404),
                    ..
                })) => {}
                other => return other,
            }
        }
        Err(SourceError::Missing { name: known.name }.into())
    }

    fn get_url(&self, url: &str, known: &KnownFile, sink: &mut Sink<'_>, watch: &mut Watch<'_>) -> Result<(), Failure> {
        let part = self.job.staging.part(url);
        loop {
            let was_resumed = self.fetch(url, &part, known, watch)?;
            let bytes = fs::read(&part).map_err(|source| FolderError::new("read", &part, source))?;
            fs::remove_file(&part).map_err(|source| FolderError::new("remove", &part, source))?;
            match sink(known, bytes, url, watch) {
                // The file may have changed between the two parts of it; from one piece it may be right.
                Err(Failure::Source(_)) if was_resumed => {
                    watch.report(Event::Note(&format!(
                        "`{url}`, fetched in parts, is damaged: fetching it whole"
                    )));
                }
                other => return other,
            }
        }
    }

    /// Brings the whole file into `part`, in as many attempts as it takes, and tells whether it came in parts.
    ///
    /// Attempts count only as long as none of them brings anything, so that a slow and shaky connection gets there.
    fn fetch(&self, url: &str, part: &Path, known: &KnownFile, watch: &mut Watch<'_>) -> Result<bool, Failure> {
        let mut n_vain = 0;
        let mut was_resumed = false;
        loop {
            let before = length(part);
            let result = self.attempt(url, part, known, watch);
            was_resumed |= before > 0 && length(part) >= before;
            let error = match result {
                Ok(()) => return Ok(was_resumed),
                Err(Setback::Stop(failure)) => return Err(failure),
                Err(Setback::Fetch(error)) => error,
            };
            n_vain = if length(part) > before { 0 } else { n_vain + 1 };
            if !self.is_worth_another(&error, n_vain) {
                return Err(SourceError::Fetch {
                    url: url.to_owned(),
                    source: error,
                }
                .into());
            }
            let pause = pause(self.job.limits.pause_first, n_vain);
            watch.report(Event::Note(&format!(
                "{}: `{url}` again in {:.1} s",
                chain(&error),
                pause.as_secs_f32()
            )));
            watch.pause(pause)?;
        }
    }

    fn is_worth_another(&self, error: &FetchError, n_vain: u32) -> bool {
        match error {
            // A machine without this network should reach the next source within seconds.
            FetchError::NoConnection(_) if !self.job.is_last => false,
            _ => error.may_pass() && n_vain < self.job.limits.attempts_max.get(),
        }
    }

    /// One request, from the byte on at which the last one broke off.
    fn attempt(&self, url: &str, part: &Path, known: &KnownFile, watch: &mut Watch<'_>) -> Result<(), Setback> {
        let start = length(part);
        let messages = transfer::start(&self.agent, url, start);
        let mut arrival = Arrival::new(part, known, self.job.limits.stall_max);
        loop {
            watch.check_stop()?;
            match messages.recv_timeout(STOP_LATENCY) {
                Ok(Message::Head(head)) => arrival.begin(&head, start)?,
                Ok(Message::Chunk(chunk)) => {
                    arrival.take(&chunk)?;
                    watch.report(arrival.event());
                }
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return arrival.end(),
                Ok(Message::NoAnswer(error)) => return Err(no_answer(error).into()),
                Ok(Message::Broken(source)) => {
                    return Err(FetchError::Broken {
                        n_bytes: arrival.n_bytes,
                        source,
                    }
                    .into());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            arrival.check_pace()?;
        }
    }
}

impl FetchError {
    /// Whether another attempt may go better.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoConnection(_) | Self::Broken { .. } | Self::CutOff { .. } | Self::Stalled { .. } => true,
            Self::NoAnswer(error) => matches!(error, ureq::Error::Io(_) | ureq::Error::Timeout(_)),
            // 206 and 416 are answers to a part that has been thrown away meanwhile.
            Self::Status(status) => matches!(status, 206 | 408 | 416 | 425 | 429 | 500 | 502 | 503 | 504),
            Self::TooLarge(_) => false,
        }
    }
}

impl From<FetchError> for Setback {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

impl From<FolderError> for Setback {
    fn from(error: FolderError) -> Self {
        Self::Stop(error.into())
    }
}

impl From<Interrupted> for Setback {
    fn from(error: Interrupted) -> Self {
        Self::Stop(error.into())
    }
}

/// Bytes of a file that are there already.
fn length(part: &Path) -> u64 {
    fs::metadata(part).map_or(0, |metadata| metadata.len())
}

/// Twice as long after each vain attempt, and only roughly so: many clients that one outage has stopped should not come
/// back at the same moment.
fn pause(first: Duration, n_vain: u32) -> Duration {
    let doubled = first.saturating_mul(1 << n_vain.saturating_sub(1).min(16));
    doubled.min(PAUSE_MAX).mul_f64(0.5 + 0.5 * fastrand::f64())
}

/// Tells a server that cannot be reached from one that is there and does not answer as it should.
fn no_answer(error: ureq::Error) -> FetchError {
    let was_connected = match &error {
        // Whatever else the operating system says (refused, unreachable, unknown name) is about connecting.
        ureq::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
        ),
        ureq::Error::Timeout(timeout) => !matches!(timeout, Timeout::Connect | Timeout::Resolve),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => false,
        _ => true,
    };
    if was_connected {
        FetchError::NoAnswer(error)
    } else {
        FetchError::NoConnection(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_looked_up_is_a_missing_connection() {
        let lookup = io::Error::other("failed to lookup address information: Name or service not known");
        for error in [
            ureq::Error::Io(lookup),
            ureq::Error::Timeout(Timeout::Connect),
            ureq::Error::HostNotFound,
        ] {
            assert!(matches!(no_answer(error), FetchError::NoConnection(_)));
        }
    }

    #[test]
    fn a_connection_that_breaks_before_the_answer_may_do_better_next_time() {
        let reset = no_answer(ureq::Error::Io(ErrorKind::ConnectionReset.into()));
        assert!(matches!(reset, FetchError::NoAnswer(_)) && reset.may_pass());
        assert!(!no_answer(ureq::Error::Tls("no common cipher")).may_pass());
    }

    #[test]
    fn pauses_double_up_to_their_limit_and_differ() {
        let first = Duration::from_millis(300);
        for (n_vain, full) in [(0, 0.3), (1, 0.3), (2, 0.6), (3, 1.2), (30, 5.0)] {
            let seconds = pause(first, n_vain).as_secs_f64();
            assert!((full * 0.499..=full * 1.001).contains(&seconds), "{n_vain}: {seconds}");
        }
        assert_ne!(pause(first, 1), pause(first, 1));
    }
}
