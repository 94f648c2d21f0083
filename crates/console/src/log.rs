//! Log lines of our programs, on stderr.

use std::{
    io::{self, IsTerminal},
    str::FromStr,
};

use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt};

/// Libraries that log errors which they return as well.
const QUIET: [&str; 1] = ["kube_client"];

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object in each line, for programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("expected `text` or `json`, found `{text}`")),
        }
    }
}

/// Starts the log: `verbosity` 0 shows `info` and above, 1 `debug`, 2 and more `trace`.
///
/// `RUST_LOG`, where it is set, wins over `verbosity`. A second call changes nothing.
pub fn start_log(verbosity: u8) {
    start_log_as(LogFormat::Text, verbosity);
}

/// Starts the log as [`start_log`] does, with lines that look like this.
pub fn start_log_as(format: LogFormat, verbosity: u8) {
    let level = match verbosity {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .from_env_lossy();
    // What fails in a library comes back as a value and is told once; its own line about it would be a second one.
    let filter = match verbosity {
        0 => QUIET
            .iter()
            .fold(filter, |filter, target| match format!("{target}=off").parse() {
                Ok(directive) => filter.add_directive(directive),
                Err(_) => filter,
            }),
        _ => filter,
    };
    let log = fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // It would be told on stderr that stderr cannot be written, in a way that ends in a panic.
        .log_internal_errors(false);
    // A test that runs two programs' libraries in one process starts the log twice; the first one stays.
    let _ = match format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).try_init(),
    };
}
