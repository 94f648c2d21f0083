//! The program `mnist-data`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use console::{Temporary, exit};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::cli::{Args, Command, DownloadArgs, ExportArgs, VerifyArgs};
use crate::display::DownloadDisplay;
use crate::download::{self, DownloadError, FileState, FolderError, SourceError};
use crate::npz::{self, ExportError};

/// Carries out a command line.
pub fn run(args: &Args) -> Result<ExitCode> {
    let stop = stop_flag().context("cannot listen for Ctrl-C")?;
    match &args.command {
        Command::Download(args) => run_download(args, &stop),
        Command::Verify(args) => run_verify(args),
        Command::Export(args) => run_export(args, &stop),
    }
}

/// What to type next after an error, where that helps.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    if error.downcast_ref::<FolderError>().is_some() {
        return Some("`--data-dir DIR` names another folder".to_owned());
    }
    if let Some(ExportError::Load(error)) = error.downcast_ref()
        && error.is_missing_file()
    {
        return Some("`mnist-data download` fetches the files".to_owned());
    }
    match error.downcast_ref()? {
        DownloadError::NoSource { attempts, .. } if attempts.iter().any(is_other_data) => {
            Some("`--allow-unknown-digest` accepts another data set in IDX format".to_owned())
        }
        DownloadError::NoSource { .. } => {
            Some("`--source DIR|URL` takes the four files, packed or not, from a place that you can reach".to_owned())
        }
        DownloadError::Folder(_) => Some("`--data-dir DIR` names another folder".to_owned()),
        DownloadError::Unfit(_) | DownloadError::Interrupted(_) => None,
    }
}

fn is_other_data(attempt: &download::Attempt) -> bool {
    let is_chosen = !download::Source::public().contains(&attempt.source);
    let is_other = matches!(
        &attempt.error,
        SourceError::Content {
            source: download::ContentError::Digest { .. },
            ..
        }
    );
    is_chosen && is_other
}

/// A flag that Ctrl-C and SIGTERM set; the second of them ends the program at once.
fn stop_flag() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, exit::INTERRUPTED.into(), Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

fn run_download(args: &DownloadArgs, stop: &AtomicBool) -> Result<ExitCode> {
    let mut display = DownloadDisplay::default();
    let place = args.data_dir.display();
    match download::ensure(&args.data_dir, &args.settings(), stop, &mut |event| display.show(event)) {
        Ok(summary) if summary.n_fetched == 0 => console::say(&format!("`{place}` already holds all four files")),
        Ok(summary) => console::say(&format!(
            "`{place}` holds all four files, {} of them new",
            summary.n_fetched
        )),
        Err(error @ DownloadError::Interrupted(_)) => return Ok(interrupted(&error)),
        Err(error) if error.may_pass() => {
            return Err(error).context(Temporary("the files cannot be had right now"));
        }
        Err(error) => return Err(error).with_context(|| format!("cannot download into `{place}`")),
    }
    Ok(ExitCode::from(exit::DONE))
}

fn run_verify(args: &VerifyArgs) -> Result<ExitCode> {
    let mut code = exit::DONE;
    for (known, state) in download::verify(&args.data_dir, args.allow_unknown_digest)? {
        let path = args.data_dir.join(known.name);
        console::print(&verdict(&path, &state));
        if !matches!(state, FileState::Good) {
            code = exit::NO;
        }
    }
    if code == exit::NO {
        console::say("hint: `mnist-data download` fetches what is missing or wrong");
    }
    Ok(ExitCode::from(code))
}

fn verdict(path: &Path, state: &FileState) -> String {
    match state {
        FileState::Good => format!("good     {}", path.display()),
        FileState::Missing => format!("missing  {}", path.display()),
        FileState::Wrong(error) => format!("wrong    {}: {}", path.display(), download::chain(error)),
    }
}

fn run_export(args: &ExportArgs, stop: &AtomicBool) -> Result<ExitCode> {
    let output = args.output.as_ref().unwrap_or(&args.data_dir);
    match npz::export_npz(&args.data_dir, output, stop) {
        Ok(paths) => {
            for path in paths {
                console::print(&path.display().to_string());
            }
            Ok(ExitCode::from(exit::DONE))
        }
        Err(error @ ExportError::Interrupted) => Ok(interrupted(&error)),
        Err(error) => Err(error).context("cannot export"),
    }
}

/// To be stopped is no mistake of ours, so it is told without an error report.
fn interrupted(error: &dyn std::error::Error) -> ExitCode {
    console::say(&error.to_string());
    ExitCode::from(exit::INTERRUPTED)
}
