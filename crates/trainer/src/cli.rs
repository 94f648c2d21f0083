//! The command line of `trainer`.

pub mod compute;
pub mod evaluate;
pub mod export;
pub mod gates;
pub mod limits;
pub mod outputs;
pub mod recipe;
pub mod train;

use clap::{ArgAction, Parser, Subcommand};

use self::{evaluate::EvaluateArgs, export::ExportArgs, train::TrainArgs};

/// Train the MNIST classifier and write it as one artifact file; with a command, work on such a file.
///
/// Every value can be given as a flag or, where one is named, as an environment variable; the flag wins.
#[derive(Debug, Clone, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub train: TrainArgs,

    /// Log more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// What there is to do besides training.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    Evaluate(EvaluateArgs),
    Export(ExportArgs),
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_trains() {
        let args = Args::try_parse_from(["trainer", "--steps", "7", "-v"]).unwrap();
        assert!(args.command.is_none());
        assert_eq!(
            (args.train.recipe.steps.map(NonZeroU32::get), args.verbose),
            (Some(7), 1)
        );
    }

    #[test]
    fn settings_of_a_training_are_refused_beside_a_command() {
        let evaluate = |arguments: &[&str]| Args::try_parse_from([&["trainer"], arguments].concat());
        assert!(evaluate(&["evaluate", "mnist.safetensors", "-v"]).is_ok());
        assert!(evaluate(&["--steps", "7", "evaluate", "mnist.safetensors"]).is_err());
        assert!(evaluate(&["evaluate", "mnist.safetensors", "--steps", "7"]).is_err());
    }
}
