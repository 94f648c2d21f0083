//! Log lines of our programs, on stderr.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Starts the log: `verbosity` 0 shows `info` and above, 1 `debug`, 2 and more `trace`.
///
/// `RUST_LOG`, where it is set, wins over `verbosity`. A second call changes nothing.
pub fn start_log(verbosity: u8) {
    let level = match verbosity {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .from_env_lossy();
    // A test that runs two programs' libraries in one process starts the log twice; the first one stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}
