//! The two ways out: data on stdout, words on stderr.

use std::io::{self, Write};

/// Writes `text` and a line end to stdout: for data that another program may read.
///
/// A reader that has gone away (`pipeline plan | head -1`) is not an error.
pub fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Writes `text` and a line end to stderr: for a person.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
