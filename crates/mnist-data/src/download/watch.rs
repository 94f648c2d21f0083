//! What a download tells while it works, and how it is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Interrupted;

/// How long a stop may go unnoticed.
pub(crate) const STOP_LATENCY: Duration = Duration::from_millis(100);

/// Something worth telling while a download works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A sentence about what goes on: a source is tried, has failed, is waited for.
    Note(&'a str),
    /// So much of a file has arrived; it is still packed.
    Arriving {
        file: &'a str,
        n_bytes: u64,
        n_bytes_total: Option<u64>,
    },
    /// A file is whole, verified and in its place.
    Published { file: &'a str, source: &'a str },
}

/// The two ways in which a caller takes part.
pub(crate) struct Watch<'a> {
    pub(crate) stop: &'a AtomicBool,
    pub(crate) report: &'a mut dyn FnMut(Event<'_>),
}

impl Watch<'_> {
    pub(crate) fn report(&mut self, event: Event<'_>) {
        (self.report)(event);
    }

    pub(crate) fn check_stop(&self) -> Result<(), Interrupted> {
        if self.stop.load(Ordering::Relaxed) {
            Err(Interrupted)
        } else {
            Ok(())
        }
    }

    /// Waits for `duration`, or less if it is told to stop.
    pub(crate) fn pause(&self, duration: Duration) -> Result<(), Interrupted> {
        let end = Instant::now() + duration;
        loop {
            self.check_stop()?;
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            thread::sleep(rest.min(STOP_LATENCY));
        }
    }
}
