//! The delivery run as data: which programs run in which order, with which arguments, reading and writing what.
//!
//! Nothing here knows how a program is run or where a place is: an executor does.

mod build;

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub(crate) use build::results;

/// The steps of a delivery run, in the order in which they are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// A step reads only what steps before it write, and what the user wrote.
    pub steps: Vec<Step>,
}

/// A program with arguments, and what it reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, for people and for state.
    pub name: StepName,
    /// Whether it ends by itself.
    pub kind: Kind,
    /// The program that carries it out.
    pub program: Program,
    /// Its subcommand, where it has them.
    pub command: Option<&'static str>,
    /// In the order of the command line.
    pub arguments: Vec<Argument>,
    /// Files whose contents decide what the step leaves; whole places where they do not.
    pub reads: Vec<Location>,
    /// Files that the step leaves; whole places where their contents are its own affair.
    pub writes: Vec<Location>,
    /// The programs whose builds decide what the step leaves: with another build it runs again.
    pub builds: Vec<Program>,
}

/// Which step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum StepName {
    /// Fetch and verify the data.
    Download,
    /// Train one artifact.
    Train,
    /// Run the server.
    Serve,
    /// Publish the artifact as the next version.
    Upload,
    /// Let the application answer with that version.
    Deploy,
    /// Send test images through the gateway.
    Test,
}

/// Whether a step ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It does its work and ends.
    Task,
    /// It runs on until it is stopped.
    Service,
}

/// One of our programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// The data set program.
    MnistData,
    /// The training program.
    Trainer,
    /// The server.
    Server,
    /// This program.
    Pipeline,
}

/// A flag and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// With its dashes: `--learning-rate`.
    pub flag: &'static str,
    /// What follows it.
    pub value: Value,
}

/// The value of a flag: text, or something that only an executor can write out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing follows the flag.
    Switch,
    /// A switch, too: what is there already is made again. It says nothing of what the step leaves.
    Refresh,
    /// The same text everywhere.
    Text(String),
    /// A file or folder.
    Location(Location),
    /// The id of the run. It names the run and does not change what the step leaves.
    Run,
    /// The address at which the server listens.
    Listen,
    /// The URL at which the other steps reach the server.
    ServerUrl,
    /// How long the server goes on answering while those who distribute requests learn that it ends, in milliseconds.
    DrainDelay,
    /// The file with the tokens that the server's management takes.
    TokenFile,
    /// The file with the keys that the server's predictions take.
    ApiKeysFile,
}

/// A file in a place, or the whole place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The folder.
    pub place: Place,
    /// The name of a file in it.
    pub file: Option<String>,
}

/// A folder that steps share: a folder here, a volume in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// What the user wrote: the application manifest.
    Project,
    /// The data set.
    Data,
    /// Artifacts and training reports.
    Models,
    /// The served store of versions and applications.
    Registry,
    /// Small documents that one step hands to the next.
    Results,
}

impl StepName {
    /// In the order of the plan.
    pub const ALL: [Self; 6] = [
        Self::Download,
        Self::Train,
        Self::Serve,
        Self::Upload,
        Self::Deploy,
        Self::Test,
    ];

    /// The name as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Train => "train",
            Self::Serve => "serve",
            Self::Upload => "upload",
            Self::Deploy => "deploy",
            Self::Test => "test",
        }
    }
}

impl Program {
    /// All that an image has.
    pub const ALL: [Self; 4] = [Self::MnistData, Self::Trainer, Self::Server, Self::Pipeline];

    /// The name of its executable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MnistData => "mnist-data",
            Self::Trainer => "trainer",
            Self::Server => "server",
            Self::Pipeline => "pipeline",
        }
    }
}

impl Plan {
    /// The step of that name.
    pub fn step(&self, name: StepName) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

impl Step {
    /// Whether it is asked to make again what is there already.
    pub fn is_refreshed(&self) -> bool {
        self.arguments.iter().any(|argument| argument.value == Value::Refresh)
    }

    /// The whole command line behind the program, each value written out by `resolve`.
    pub fn command_line(&self, resolve: impl Fn(&Value) -> Option<String>) -> Vec<String> {
        let command = self.command.map(str::to_owned);
        let arguments = self.arguments.iter().flat_map(|Argument { flag, value }| {
            // A value that starts with a dash (a folder may) must not be taken for a flag, hence the `=`.
            match resolve(value) {
                Some(text) if text.starts_with('-') => vec![format!("{flag}={text}")],
                Some(text) => vec![(*flag).to_owned(), text],
                None => vec![(*flag).to_owned()],
            }
        });
        command.into_iter().chain(arguments).collect()
    }
}

impl Place {
    /// The name as it is written everywhere.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Data => "data",
            Self::Models => "models",
            Self::Registry => "registry",
            Self::Results => "results",
        }
    }
}

impl Location {
    /// The file `name` in `place`.
    pub fn file(place: Place, name: &str) -> Self {
        Self {
            place,
            file: Some(name.to_owned()),
        }
    }

    /// All of `place`.
    pub fn whole(place: Place) -> Self {
        Self { place, file: None }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The same on every machine, whatever an executor makes of it.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch | Self::Refresh => Ok(()),
            Self::Text(text) => formatter.write_str(text),
            Self::Location(location) => location.fmt(formatter),
            Self::Run => formatter.write_str("<run>"),
            Self::Listen => formatter.write_str("<listen>"),
            Self::ServerUrl => formatter.write_str("<server>"),
            Self::DrainDelay => formatter.write_str("<delay>"),
            Self::TokenFile => formatter.write_str("<tokens>"),
            Self::ApiKeysFile => formatter.write_str("<keys>"),
        }
    }
}

/// The same on every machine: `models/mnist.safetensors`, wherever the models are.
impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.place.as_str())?;
        match &self.file {
            Some(file) => write!(formatter, "/{file}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
