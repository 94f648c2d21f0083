//! The server as a background process.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, bail};
use console::exit;
use formats::api::ServerIdentity;
use thiserror::Error;

use crate::{
    cli::server::{API_KEYS_FILE, TOKEN_FILE},
    client::{Client, LOOK_MAX},
    decide::{Key, Service},
    executor::Ended,
    interrupt::{Interrupt, LOOK_EVERY},
    server_url::ServerUrl,
    service::{ServiceDocument, ServiceFolder},
    settings::Limits,
};

/// How many lines of its log are shown when it died.
const LAST_LINES: usize = 10;

/// How the service is started.
#[derive(Debug)]
pub(super) struct Launch {
    /// The program that prepares it, see `launch`.
    pub(super) launcher: PathBuf,
    /// What it becomes.
    pub(super) command_line: Vec<String>,
    /// Where it runs.
    pub(super) folder: PathBuf,
    /// The folder of state, as seen from there.
    pub(super) state: PathBuf,
    /// The address at which it listens.
    pub(super) listen: String,
    /// Where it is reached then.
    pub(super) url: ServerUrl,
}

/// Something else has the address.
#[derive(Debug, Error)]
#[error("the address {listen} (key `server.listen`) is taken by {by}")]
pub(crate) struct AddressTaken {
    listen: String,
    by: String,
}

/// The service as it is.
pub(super) fn inspect(folder: &ServiceFolder) -> anyhow::Result<Service> {
    let Some(document) = folder.running()? else {
        return Ok(Service::Stopped);
    };
    let url: ServerUrl = document.url.parse().context("the service's document is wrong")?;
    Ok(Service::Running {
        is_ready: Client::new(url, LOOK_MAX).is_ready(),
        key: document.key,
        started_at_ms: document.started_at_ms,
        id: format!("process {}", document.pid),
    })
}

/// Starts the service in place of the one that runs, and waits until it is ready.
pub(super) fn start(
    folder: &ServiceFolder,
    launch: &Launch,
    key: &Key,
    limits: Limits,
    interrupt: &Interrupt,
) -> anyhow::Result<Ended> {
    folder.stop(limits.stop_max)?;
    let client = Client::new(launch.url.clone(), LOOK_MAX);
    check_address(&launch.listen, &client)?;
    let mut child = spawn(folder, launch, key)?;
    let end = Instant::now() + limits.ready_max;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for the server")? {
            bail!(
                "the server ended before it was ready ({status}){}",
                last_lines(&folder.log())
            );
        }
        if interrupt.is_set() {
            // It goes on by itself; the next run finds it.
            return Ok(Ended::Interrupted);
        }
        if folder.running()?.is_some_and(|document| is_ours(&document, &child)) && client.is_ready() {
            return Ok(Ended::Code(exit::DONE));
        }
        if Instant::now() >= end {
            let limit = limits.ready_max.as_secs();
            let lines = last_lines(&folder.log());
            bail!("the server is not ready after {limit} s (key `limits.ready_seconds`){lines}");
        }
        interrupt.pause(LOOK_EVERY);
    }
}

fn is_ours(document: &ServiceDocument, child: &Child) -> bool {
    document.pid == child.id()
}

/// Without this look the server would end with the same finding, but could not say by whom its address is taken.
fn check_address(listen: &str, client: &Client) -> anyhow::Result<()> {
    let Err(error) = TcpListener::bind(listen) else {
        return Ok(());
    };
    if error.kind() != std::io::ErrorKind::AddrInUse {
        return Err(error).with_context(|| format!("cannot listen at {listen} (key `server.listen`)"));
    }
    let by = match client.get::<ServerIdentity>("/api/server") {
        Ok(server) if server.program == ServerIdentity::PROGRAM => {
            format!("a server that was not started from here (process {})", server.pid)
        }
        Ok(_) | Err(_) => "another program".to_owned(),
    };
    Err(AddressTaken {
        listen: listen.to_owned(),
        by,
    }
    .into())
}

fn spawn(folder: &ServiceFolder, launch: &Launch, key: &Key) -> anyhow::Result<Child> {
    let log = open_log(&folder.log()).with_context(|| format!("cannot open `{}`", folder.log().display()))?;
    let key = serde_json::to_string(key).context("cannot write the service's key")?;
    Command::new(&launch.launcher)
        .args([
            "launch",
            "service",
            "--key",
            &key,
            "--url",
            &launch.url.to_string(),
            "--state",
        ])
        .arg(&launch.state)
        .arg("--")
        .args(&launch.command_line)
        .current_dir(&launch.folder)
        // As for a task: what opens the server stands in the settings, not in somebody's shell.
        .env_remove(TOKEN_FILE)
        .env_remove(API_KEYS_FILE)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start the server")
}

/// A fresh log for each start; that of the start before is kept beside it.
fn open_log(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if path.exists() {
        fs::rename(path, path.with_extension("previous.log"))?;
    }
    File::options().create(true).append(true).open(path)
}

fn last_lines(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    match &lines[lines.len().saturating_sub(LAST_LINES)..] {
        [] => format!("; `{}` is empty", log.display()),
        last => format!("; the end of `{}`:\n{}", log.display(), last.join("\n")),
    }
}
