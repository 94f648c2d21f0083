//! A program of a step in a pod: run to its end, and what became of it told to whoever looks at the pod.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    str::FromStr,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use console::exit;
use formats::digest::Digest;

use crate::{
    executor::{Ended, TaskLimits, run_command},
    interrupt::{Interrupt, LOOK_EVERY},
    report::{STEP_REPORT_FORMAT, StepDocument, StepReport},
};

/// Where a pod's message is written.
const MESSAGE: &str = "/dev/termination-log";
/// The pod's own limit ends it long before.
const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Most bytes of the files that are sent.
const RECEIVED_MAX: u64 = 128 << 20;
/// Longest silence of whoever sends them.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// A program that tells what became of it
#[derive(Debug, Args)]
pub(super) struct StepArgs {
    /// How long the program may take to its end once it is asked to
    #[arg(long)]
    stop_seconds: u64,
    /// A file that the program leaves, and of which the digest is told: `location=path`
    #[arg(long)]
    left: Vec<Left>,
    /// The same for a small document, which is handed over whole
    #[arg(long)]
    hand_over: Vec<Left>,
    /// Wait on this port of the loopback address for a tar archive of files
    #[arg(long, requires = "receive_into")]
    receive_port: Option<u16>,
    /// The folder that they are put into
    #[arg(long)]
    receive_into: Option<PathBuf>,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// A file by both of its names.
#[derive(Debug, Clone)]
struct Left {
    location: String,
    path: PathBuf,
}

impl FromStr for Left {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (location, path) = text.split_once('=').ok_or("expected `location=path`")?;
        Ok(Self {
            location: location.to_owned(),
            path: PathBuf::from(path),
        })
    }
}

/// Runs the program; its exit code is ours.
pub(super) fn step(arguments: &StepArgs) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    if let (Some(port), Some(folder)) = (arguments.receive_port, &arguments.receive_into)
        && !receive(port, folder, &interrupt)?
    {
        return Ok(ExitCode::from(exit::INTERRUPTED));
    }
    let (program, rest) = arguments.command.split_first().context("no program is given")?;
    let limits = TaskLimits {
        time_max: TIME_MAX,
        stop_max: Duration::from_secs(arguments.stop_seconds),
    };
    let ended = run_command(Command::new(program).args(rest), limits, &interrupt, &mut console::say)
        .with_context(|| format!("cannot run `{program}`"))?;
    let mut report = StepReport {
        format: STEP_REPORT_FORMAT,
        left: BTreeMap::new(),
        memory_peak_bytes: memory_peak(),
        is_killed_for_memory: is_killed_for_memory(),
    };
    for file in arguments.left.iter().chain(&arguments.hand_over) {
        report
            .left
            .extend(digest(&file.path)?.map(|digest| (file.location.clone(), digest)));
    }
    for file in arguments.hand_over.iter().filter(|file| file.path.exists()) {
        let text = fs::read_to_string(&file.path).with_context(|| format!("cannot read `{}`", file.path.display()))?;
        let document = StepDocument {
            format: STEP_REPORT_FORMAT,
            location: file.location.clone(),
            text,
        };
        console::say(&document.line());
    }
    let message = serde_json::to_string(&report).context("cannot write the report")?;
    // In place: it is a mount of its own, over which nothing can be renamed.
    fs::write(MESSAGE, message).with_context(|| format!("cannot write `{MESSAGE}`"))?;
    Ok(ExitCode::from(match ended {
        Ended::Code(code) => code,
        // As a shell counts it.
        Ended::Signal(signal) => 128 + u8::try_from(signal).unwrap_or(127),
        Ended::TimedOut(_) => exit::TEMPORARY,
        Ended::Interrupted => exit::INTERRUPTED,
    }))
}

/// Takes the files of a tar archive; `false` where we were stopped before they came.
///
/// At the loopback address, which a cluster reaches for whoever may forward a port to this pod, and nobody else.
fn receive(port: u16, folder: &Path, interrupt: &Interrupt) -> anyhow::Result<bool> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).context("cannot wait for the files")?;
    listener.set_nonblocking(true).context("cannot wait for the files")?;
    while !interrupt.is_set() {
        match listener.accept() {
            Ok((stream, _)) => match unpack(stream, folder) {
                Ok(n_files) => {
                    console::say(&format!("received {n_files} files"));
                    return Ok(true);
                }
                // Whoever sends them tries again.
                Err(error) => console::say(&format!("the files did not come whole: {error:#}")),
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => interrupt.pause(LOOK_EVERY),
            Err(error) => return Err(error).context("cannot wait for the files"),
        }
    }
    Ok(false)
}

fn unpack(mut stream: TcpStream, folder: &Path) -> anyhow::Result<usize> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    let mut archive = tar::Archive::new(stream.try_clone()?.take(RECEIVED_MAX));
    let mut n_files = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let is_plain = path.file_name() == Some(path.as_os_str()) && entry.header().entry_type().is_file();
        if !is_plain {
            bail!("expected files without folders, found `{}`", path.display());
        }
        let mut file = File::create(folder.join(&path))?;
        io::copy(&mut entry, &mut file)?;
        n_files += 1;
    }
    stream.write_all(b"ok")?;
    Ok(n_files)
}

fn digest(path: &Path) -> anyhow::Result<Option<Digest>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Digest::of(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

/// What the control group of the pod says, in its newer form or its older one.
fn memory_peak() -> Option<u64> {
    let of_file = |path: &str| fs::read_to_string(path).ok()?.trim().parse().ok();
    of_file("/sys/fs/cgroup/memory.peak").or_else(|| of_file("/sys/fs/cgroup/memory/memory.max_usage_in_bytes"))
}

fn is_killed_for_memory() -> bool {
    let of_file = |path: &str| {
        let text = fs::read_to_string(path).ok()?;
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "))?;
        count.trim().parse::<u64>().ok()
    };
    let count = of_file("/sys/fs/cgroup/memory.events").or_else(|| of_file("/sys/fs/cgroup/memory/memory.oom_control"));
    count.is_some_and(|count| count > 0)
}
