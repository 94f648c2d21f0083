//! A program that a test started and that ends with the test.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::patience;
use crate::workspace::Outcome;

/// A started program in a process group of its own; dropping it kills the whole group, also while a test panics.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Pid,
    stdout: Collected,
    stderr: Collected,
}

/// What one pipe has brought so far; a thread reads it, so that a talkative program never blocks.
#[derive(Debug)]
struct Collected {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts `command` with its output collected and without input.
    pub fn start(command: &mut Command) -> Self {
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = Collected::start(child.stdout.take().expect("stdout was asked for"));
        let stderr = Collected::start(child.stderr.take().expect("stderr was asked for"));
        let group = Pid::from_child(&child);
        Self {
            child,
            group,
            stdout,
            stderr,
        }
    }

    /// The process id, which is also the id of the process group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the program has written to stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What the program has written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Sends the program alone (not its children) the signal of Ctrl-C.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends the program alone the polite request to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Kills the program alone, as `kill -9` does, and waits for its end.
    pub fn kill(&mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.child.wait().expect("a started child can be waited for")
    }

    /// How the program ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a started child can be asked")
    }

    /// Waits for the end of the program and of its output; panics once `limit` has passed.
    pub fn wait(mut self, limit: Duration) -> Outcome {
        let what = format!("the end of process {}", self.id());
        let status = patience(&what, limit, || self.ended());
        Outcome {
            // As a shell counts: a program that a signal ended has 128 more than the signal's number.
            code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            stdout: self.stdout.wait_for_all(),
            stderr: self.stderr.wait_for_all(),
        }
    }

    fn signal(&self, signal: Signal) {
        // A child that has ended but was not waited for still owns its id, so no stranger can be hit.
        let _ = rustix::process::kill_process(self.group, signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Collected {
    fn start(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything until the pipe closes, which is when the last process that holds it has ended.
    fn wait_for_all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let what = "the end of a program's output (a background child may hold it open)";
            patience(what, Duration::from_secs(20), || reader.is_finished().then_some(()));
        }
        self.so_far()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Running {
        Running::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn output_and_exit_code_are_kept() {
        let outcome = shell("echo to stdout; echo to stderr >&2; exit 3").wait(Duration::from_secs(10));
        assert_eq!(
            (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
            (3, "to stdout\n", "to stderr\n")
        );
    }

    #[test]
    fn a_signal_counts_as_in_a_shell() {
        let running = shell("echo started; exec sleep 1000");
        patience("the first line", Duration::from_secs(10), || {
            running.stdout().contains("started").then_some(())
        });
        running.terminate();
        assert_eq!(running.wait(Duration::from_secs(10)).code, 143);
    }

    #[test]
    fn dropping_it_kills_its_children_too() {
        let running = shell("sleep 1000 & echo $!; wait");
        let child = patience("the child's id", Duration::from_secs(10), || {
            running.stdout().trim().parse().ok()
        });
        drop(running);
        let child = Pid::from_raw(child).unwrap();
        patience("the end of the child", Duration::from_secs(10), || {
            is_gone(child).then_some(())
        });
    }

    /// A killed process stays visible until its new parent has noticed; it runs no longer once it is a zombie.
    fn is_gone(process: Pid) -> bool {
        match std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => rustix::process::test_kill_process(process).is_err(),
        }
    }
}
