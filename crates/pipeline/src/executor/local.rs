//! Steps as processes of this machine, places as folders.

mod service;
mod task;

use std::path::{Path, PathBuf};

use anyhow::Context;
use formats::digest::Digest;

pub(crate) use service::AddressTaken;
pub(crate) use task::{TaskLimits, run as run_command};

use super::{Ended, Executor};
use crate::{
    client::{ANSWER_MAX, Client},
    credentials,
    decide::{Key, Service, Standing},
    interrupt::Interrupt,
    places::Places,
    plan::{Kind, Location, Program, Step, StepName, Value, results},
    service::ServiceFolder,
    settings::{Limits, Settings},
    standing,
    state::{Digests, RunId, State},
};

/// Runs steps on this machine.
#[derive(Debug)]
pub(crate) struct Local {
    /// The folder in which programs run; places are relative to it.
    root: PathBuf,
    places: Places,
    programs: Programs,
    state: PathBuf,
    service: ServiceFolder,
    digests: Digests,
    client: Client,
    limits: Limits,
    interrupt: Interrupt,
}

/// Where our programs are: all in one folder.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Local {
    /// An executor for these settings, which stops what it runs once `interrupt` is set.
    ///
    /// Errors: the file with the token for the server cannot be used.
    pub(crate) fn new(
        settings: &Settings,
        state: &State,
        programs: Programs,
        interrupt: Interrupt,
    ) -> anyhow::Result<Self> {
        let places = Places::new(settings);
        let token_file = settings.server.management_token_file.as_ref();
        let token = credentials::first(token_file.map(|path| settings.root.join(path)).as_deref())?;
        Ok(Self {
            root: settings.root.clone(),
            client: Client::new(places.server_url().clone(), ANSWER_MAX).with_token(token),
            places,
            programs,
            // Programs run in `root`, so what they are handed is named from there or from nowhere.
            state: std::path::absolute(state.folder()).unwrap_or_else(|_| state.folder().to_owned()),
            service: ServiceFolder::new(state.folder()),
            digests: Digests::open(state.folder().join("digests.json")),
            limits: settings.limits,
            interrupt,
        })
    }

    fn command_line(&self, step: &Step, run: &RunId) -> anyhow::Result<Vec<String>> {
        let program = self.programs.path(step.program)?.display().to_string();
        let arguments = step.command_line(|value| self.places.resolve(value, &run.to_string()));
        Ok([vec![program], arguments].concat())
    }

    /// The path of a location, seen from the folder in which the pipeline itself runs.
    fn path(&self, location: &Location) -> PathBuf {
        self.root.join(self.places.path(location))
    }

    /// The folder in which programs run.
    fn folder(&self) -> &Path {
        match self.root.as_os_str().is_empty() {
            true => Path::new("."),
            false => &self.root,
        }
    }
}

impl Executor for Local {
    fn key(&self, step: &Step) -> anyhow::Result<Key> {
        let resolve = |value: &Value| match (step.kind, value) {
            // A service keeps what it was started with, so its key has everything written out.
            (Kind::Service, Value::Location(location)) => self.places.path(location).display().to_string(),
            (Kind::Service, Value::Listen) => self.places.listen().to_owned(),
            (Kind::Service, Value::DrainDelay | Value::TokenFile | Value::ApiKeysFile) => {
                self.places.resolve(value, "").unwrap_or_default()
            }
            (_, value) => value.to_string(),
        };
        let build = |program| {
            let path = self.programs.path(program)?;
            let digest = self.digests.digest(&path);
            digest
                .with_context(|| format!("cannot read `{}`", path.display()))?
                .with_context(|| format!("`{}` is not a program", path.display()))
        };
        Key::new(step, resolve, |location| self.digest(location), build)
    }

    fn digest(&self, location: &Location) -> anyhow::Result<Option<Digest>> {
        let path = self.path(location);
        self.digests
            .digest(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))
    }

    fn standing(&self, step: &Step) -> anyhow::Result<Standing> {
        match step.name {
            StepName::Upload => standing::of_version(&self.client, &self.path(&results::published())),
            StepName::Deploy => standing::of_application(&self.client, &self.path(&results::deployed())),
            StepName::Download | StepName::Train | StepName::Serve | StepName::Test => Ok(Standing::Stands),
        }
    }

    fn run(&self, step: &Step, run: &RunId, output: &mut dyn FnMut(&str)) -> anyhow::Result<Ended> {
        let command_line = self.command_line(step, run)?;
        let mut command = task::command(&self.programs.path(Program::Pipeline)?, &self.state, &command_line);
        command.current_dir(self.folder());
        let limits = task::TaskLimits {
            time_max: self.limits.task_max,
            stop_max: self.limits.stop_max,
        };
        task::run(&mut command, limits, &self.interrupt, output)
            .with_context(|| format!("cannot run `{}`", step.program.as_str()))
    }

    fn service(&self) -> anyhow::Result<Service> {
        service::inspect(&self.service)
    }

    fn start(&self, step: &Step, key: &Key, run: &RunId) -> anyhow::Result<Ended> {
        let launch = service::Launch {
            launcher: self.programs.path(Program::Pipeline)?,
            command_line: self.command_line(step, run)?,
            folder: self.folder().to_owned(),
            state: self.state.clone(),
            listen: self.places.listen().to_owned(),
            url: self.places.server_url().clone(),
        };
        service::start(&self.service, &launch, key, self.limits, &self.interrupt)
    }
}

impl Programs {
    /// The programs beside the one that runs now: they were built and installed together.
    pub(crate) fn beside_this_one() -> anyhow::Result<Self> {
        let this = std::env::current_exe().context("cannot find out where this program is")?;
        let folder = this.parent().context("this program is in no folder")?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The executable of a program.
    pub(crate) fn path(&self, program: Program) -> anyhow::Result<PathBuf> {
        let path = self
            .folder
            .join(program.as_str())
            .with_extension(std::env::consts::EXE_EXTENSION);
        if path.is_file() {
            Ok(path)
        } else {
            Err(MissingProgram(path).into())
        }
    }
}

/// One of our programs is not where it should be.
#[derive(Debug, thiserror::Error)]
#[error("the program `{}` is not there", .0.display())]
pub(crate) struct MissingProgram(PathBuf);
