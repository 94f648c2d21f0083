//! How our programs speak: log lines, progress, error reports, exit codes.
//!
//! It never decides anything: what to say and which code to end with comes from the caller. Only this crate
//! prints; data goes to stdout, everything meant for a person to stderr.
//! Start reading at [`finish`], which ends every program.

pub mod exit;
mod log;
mod output;
mod progress;
mod report;

pub use log::{LogFormat, start_log, start_log_as};
pub use output::{print, say};
pub use progress::Progress;
pub use report::{Temporary, finish};
