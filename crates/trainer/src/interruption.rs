//! Ctrl-C and SIGTERM.

use std::sync::{Arc, atomic::AtomicBool};

use anyhow::Context;
use console::exit;
use signal_hook::{consts::TERM_SIGNALS, flag};

/// A flag that is up once the program shall end; a second signal ends it at once.
///
/// # Errors
///
/// Where the system does not let the program listen.
pub(crate) fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        // In this order the first signal only raises the flag, and the second finds it up.
        flag::register_conditional_shutdown(signal, exit::INTERRUPTED.into(), Arc::clone(&interrupted))
            .and_then(|_| flag::register(signal, Arc::clone(&interrupted)))
            .context("cannot listen to Ctrl-C")?;
    }
    Ok(interrupted)
}
