//! The command line of `pipeline`.

pub mod cluster;
pub mod server;

use std::path::{Path, PathBuf};

use clap::{ArgAction, Parser, Subcommand};

use crate::commands::{
    deploy::DeployArgs, down::DownArgs, forward::ForwardArgs, image::ImageArgs, launch::LaunchArgs, load::LoadArgs,
    logs::LogsArgs, render::RenderArgs, rollback::RollbackArgs, status::StatusArgs, test::TestArgs, up::UpArgs,
    upload::UploadArgs,
};

/// Train an MNIST classifier, register it, serve it, and prove it through the address at which it answers.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    done; for `plan`: there is nothing to do
  1    a step failed, a threshold was missed, or the work could not be done
  2    the command line is wrong; for `plan`: there is something to do
  75   failed for a reason that may pass, such as no connection: try again later
  130  stopped by Ctrl-C; the next `up` goes on from there";

#[derive(Debug, Subcommand)]
pub enum Command {
    Up(UpArgs),
    /// Tell what `up` would do, and why
    Plan(UpArgs),
    Status(StatusArgs),
    Logs(LogsArgs),
    Down(DownArgs),
    Forward(ForwardArgs),
    Image(ImageArgs),
    Render(RenderArgs),
    Upload(UploadArgs),
    Deploy(DeployArgs),
    Rollback(RollbackArgs),
    Test(TestArgs),
    #[command(hide = true)]
    Load(LoadArgs),
    #[command(hide = true)]
    Launch(LaunchArgs),
}

/// Which delivery is meant.
#[derive(Debug, clap::Args)]
pub struct Project {
    /// The settings; every path in them is relative to their folder
    #[arg(long, default_value = "pipeline.yaml", value_name = "FILE")]
    pub config: PathBuf,
}

impl Project {
    /// The folder to which every path is relative.
    pub(crate) fn root(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new(""))
    }
}

impl Command {
    /// Whether one JSON document is expected on stdout.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Self::Up(arguments) | Self::Plan(arguments) => arguments.json,
            Self::Status(arguments) => arguments.json,
            Self::Test(arguments) => arguments.json,
            Self::Logs(_)
            | Self::Down(_)
            | Self::Forward(_)
            | Self::Image(_)
            | Self::Render(_)
            | Self::Upload(_)
            | Self::Deploy(_)
            | Self::Rollback(_)
            | Self::Load(_)
            | Self::Launch(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_share_is_from_0_to_1() {
        let parse = |value| Args::try_parse_from(["pipeline", "test", "--accuracy-min", value]);
        assert!(parse("0.97").is_ok());
        for wrong in ["97", "-0.1", "nan", "high"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
