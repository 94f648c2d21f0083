//! A task as a child process: its lines, its end, and how it is made to end.

use std::{
    io::{self, BufRead, BufReader, PipeReader},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use formats::hyperparameters::OVERRIDES;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    cli::server::{API_KEYS_FILE, TOKEN_FILE},
    executor::Ended,
    interrupt::{Interrupt, LOOK_EVERY},
};

/// Lines that may wait to be shown; a child that is faster waits.
const LINES_MAX: usize = 1_000;
/// How long the output of a child that has ended may stay open: a grandchild may hold it.
const OUTPUT_MAX: Duration = Duration::from_secs(1);

/// What a task may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskLimits {
    /// For its work.
    pub(crate) time_max: Duration,
    /// For its end, once it was asked to.
    pub(crate) stop_max: Duration,
}

/// The command that becomes `command_line` and ends when this process does.
pub(super) fn command(launcher: &Path, state: &Path, command_line: &[String]) -> Command {
    let mut command = Command::new(launcher);
    command
        .args(["launch", "task", "--parent", &std::process::id().to_string(), "--state"])
        .arg(state)
        .arg("--")
        .args(command_line);
    // A variable in somebody's shell must not change what a delivery does: the plan says everything itself.
    for variable in OVERRIDES.iter().filter_map(|parameter| parameter.variable) {
        command.env_remove(variable);
    }
    for variable in [TOKEN_FILE, API_KEYS_FILE] {
        command.env_remove(variable);
    }
    command
}

/// Runs a command to its end, in a process group of its own.
pub(crate) fn run(
    command: &mut Command,
    limits: TaskLimits,
    interrupt: &Interrupt,
    output: &mut dyn FnMut(&str),
) -> io::Result<Ended> {
    let (reader, writer) = io::pipe()?;
    // A group of its own: Ctrl-C reaches this process alone, which then ends the child in its own way.
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn()?;
    // `command` still holds the writing ends of the pipe, and with them it would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let lines = read_lines(reader);
    let ended = watch(&mut child, limits, interrupt, &lines, output)?;
    drain(&lines, output);
    Ok(ended)
}

fn watch(
    child: &mut Child,
    limits: TaskLimits,
    interrupt: &Interrupt,
    lines: &Receiver<String>,
    output: &mut dyn FnMut(&str),
) -> io::Result<Ended> {
    let end = Instant::now() + limits.time_max;
    loop {
        show(lines, output);
        if let Some(status) = child.try_wait()? {
            return Ok(ended(status));
        }
        let reason = match (interrupt.is_set(), Instant::now() >= end) {
            (true, _) => Ended::Interrupted,
            (false, true) => Ended::TimedOut(limits.time_max),
            (false, false) => continue,
        };
        stop(child, limits.stop_max, lines, output)?;
        return Ok(reason);
    }
}

/// Asks the whole group to end, and kills what is left of it after `stop_max`.
fn stop(
    child: &mut Child,
    stop_max: Duration,
    lines: &Receiver<String>,
    output: &mut dyn FnMut(&str),
) -> io::Result<()> {
    let group = Pid::from_child(child);
    // That the group has just ended by itself is no reason to complain.
    let _ = kill_process_group(group, Signal::TERM);
    let end = Instant::now() + stop_max;
    while Instant::now() < end && child.try_wait()?.is_none() {
        show(lines, output);
    }
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().map(drop)
}

fn read_lines(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver): (SyncSender<String>, _) = sync_channel(LINES_MAX);
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n_bytes| n_bytes > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// Shows what comes within a moment.
fn show(lines: &Receiver<String>, output: &mut dyn FnMut(&str)) {
    let end = Instant::now() + LOOK_EVERY;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => output(&line),
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => {
                // The child closed its output and has more to do, or ends just now.
                thread::sleep(end.saturating_duration_since(Instant::now()));
                return;
            }
        }
    }
}

/// Shows what the child wrote last.
fn drain(lines: &Receiver<String>, output: &mut dyn FnMut(&str)) {
    let end = Instant::now() + OUTPUT_MAX;
    while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
        output(&line);
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code().and_then(|code| u8::try_from(code).ok()), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, Some(signal)) => Ended::Signal(signal),
        (None, None) => Ended::Code(console::exit::NO),
    }
}

#[cfg(test)]
mod tests;
