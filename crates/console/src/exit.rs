//! The exit codes that all our programs share.

/// Done: what was asked for is so.
pub const DONE: u8 = 0;
/// The answer is no (a step failed, an accuracy was missed), or the program could not do its work.
pub const NO: u8 = 1;
/// The command line was wrong (clap ends with the same code).
pub const USAGE: u8 = 2;
/// `pipeline plan` only: there is something to do.
pub const PENDING: u8 = 2;
/// Failed for a reason that may pass (no connection, server busy): the only code worth another attempt.
/// The value is `EX_TEMPFAIL` of BSD's `sysexits.h`.
pub const TEMPORARY: u8 = 75;
/// Stopped by Ctrl-C or SIGTERM before it was done (128 + SIGINT, as shells report it).
pub const INTERRUPTED: u8 = 130;
