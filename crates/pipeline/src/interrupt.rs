//! The wish of a person or of the system that we stop.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long a signal may go unnoticed.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Set once Ctrl-C was pressed, the terminal was closed or SIGTERM came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to watch for signals, which from now on do not end this process.
    pub(crate) fn watch() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&interrupt.0))?;
        }
        Ok(interrupt)
    }

    /// Whether we should stop.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits, unless or until we should stop.
    pub(crate) fn pause(&self, duration: Duration) {
        let end = Instant::now() + duration;
        while !self.is_set() {
            match end.checked_duration_since(Instant::now()) {
                Some(rest) if !rest.is_zero() => thread::sleep(rest.min(LOOK_EVERY)),
                _ => return,
            }
        }
    }

    /// Asks to stop, as a signal does.
    #[cfg(test)]
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
