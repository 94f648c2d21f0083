//! The loop with a rehearsal in place of processes: files and server are maps in memory.

use std::cell::RefCell;

use expect_test::{Expect, expect};
use formats::{digest::Digest, hyperparameters};

use super::*;
use crate::{decide::Service, settings::tests::settings, state::State};

/// Carries out steps by writing a line, and ends them as it is told.
#[derive(Default)]
struct Rehearsal {
    files: RefCell<BTreeMap<Location, Digest>>,
    service: RefCell<Option<Key>>,
    /// How the next attempts of a step end; afterwards all end well.
    endings: RefCell<BTreeMap<StepName, Vec<Ended>>>,
    /// Everything that was run.
    ran: RefCell<Vec<String>>,
    /// Files that a step leaves out.
    forgotten: Option<Location>,
    /// What is gone from the server.
    gone: RefCell<BTreeSet<StepName>>,
}

impl Executor for Rehearsal {
    fn key(&self, step: &Step) -> anyhow::Result<Key> {
        let build = |program: crate::plan::Program| Ok(Digest::of(program.as_str().as_bytes()));
        Key::new(step, ToString::to_string, |location| self.digest(location), build)
    }

    fn digest(&self, location: &Location) -> anyhow::Result<Option<Digest>> {
        Ok(self.files.borrow().get(location).copied())
    }

    fn standing(&self, step: &Step) -> anyhow::Result<Standing> {
        Ok(if self.gone.borrow().contains(&step.name) {
            Standing::Gone("it is gone".to_owned())
        } else {
            Standing::Stands
        })
    }

    fn run(&self, step: &Step, run: &RunId, output: &mut dyn FnMut(&str)) -> anyhow::Result<Ended> {
        self.ran.borrow_mut().push(step.name.to_string());
        output("working");
        let mut endings = self.endings.borrow_mut();
        if let Some(ended) = endings.get_mut(&step.name).and_then(Vec::pop) {
            return Ok(ended);
        }
        // Small documents differ from run to run, everything else follows from the arguments.
        let salt = if step.writes[0].place == crate::plan::Place::Results {
            run.to_string()
        } else {
            String::new()
        };
        let line = step.command_line(|value| Some(value.to_string())).join(" ");
        for location in step
            .writes
            .iter()
            .filter(|location| Some(*location) != self.forgotten.as_ref())
        {
            let content = format!("{location} {line} {salt}");
            self.files
                .borrow_mut()
                .insert(location.clone(), Digest::of(content.as_bytes()));
        }
        self.gone.borrow_mut().remove(&step.name);
        Ok(Ended::Code(exit::DONE))
    }

    fn service(&self) -> anyhow::Result<Service> {
        Ok(match &*self.service.borrow() {
            None => Service::Stopped,
            Some(key) => Service::Running {
                key: key.clone(),
                started_at_ms: 0,
                id: "1".to_owned(),
                is_ready: true,
            },
        })
    }

    fn start(&self, step: &Step, key: &Key, _run: &RunId) -> anyhow::Result<Ended> {
        self.ran.borrow_mut().push(step.name.to_string());
        *self.service.borrow_mut() = Some(key.clone());
        Ok(Ended::Code(exit::DONE))
    }
}

struct Stage {
    folder: tempfile::TempDir,
    rehearsal: Rehearsal,
    interrupt: Interrupt,
    settings: crate::settings::Settings,
}

impl Stage {
    fn new() -> Self {
        let rehearsal = Rehearsal::default();
        let manifest = Location::file(crate::plan::Place::Project, "application.yaml");
        rehearsal.files.borrow_mut().insert(manifest, Digest::of(b"manifest"));
        Self {
            folder: tempfile::tempdir().unwrap(),
            rehearsal,
            interrupt: Interrupt::default(),
            settings: settings(),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&Delivery<'_>) -> T) -> T {
        let plan = Plan::new(&self.settings);
        let state = State::new(self.folder.path());
        act(&Delivery {
            plan: &plan,
            executor: &self.rehearsal,
            memory: &state,
            interrupt: &self.interrupt,
            attempts: Attempts {
                max: NonZeroU32::new(3).unwrap(),
                pause: Duration::ZERO,
            },
            say: &|_| {},
        })
    }

    /// Delivers, and compares what ran and how it ended.
    fn check(&self, expected: Expect) {
        self.rehearsal.ran.borrow_mut().clear();
        let delivered = self.with(|delivery| delivery.deliver()).unwrap();
        let ending = match delivered.failure() {
            None => "well".to_owned(),
            Some((step, ended)) => format!("{step} {ended}"),
        };
        expected.assert_eq(&format!("{}; {ending}", self.rehearsal.ran.borrow().join(" ")));
    }

    fn end(&self, step: StepName, endings: &[Ended]) {
        let endings = endings.iter().rev().copied().collect();
        self.rehearsal.endings.borrow_mut().insert(step, endings);
    }
}

#[test]
fn the_first_delivery_runs_every_step_and_the_second_none() {
    let stage = Stage::new();
    stage.check(expect!["download train serve upload deploy test; well"]);
    stage.check(expect!["; well"]);
    assert_eq!(State::new(stage.folder.path()).runs().unwrap().len(), 1);
}

#[test]
fn a_changed_hyperparameter_runs_what_depends_on_it() {
    let mut stage = Stage::new();
    stage.check(expect!["download train serve upload deploy test; well"]);
    let learning_rate = (&hyperparameters::LEARNING_RATE, "0.02".to_owned());
    stage.settings.training.overrides.push(learning_rate);
    stage.check(expect!["train upload deploy test; well"]);
    stage.settings.training.recipe = "best".to_owned();
    stage.check(expect!["train upload deploy test; well"]);
    stage.settings.training.overrides.clear();
    stage.check(expect!["train upload deploy test; well"]);
    stage.settings.test.accuracy_min = Some(0.9);
    stage.check(expect!["test; well"]);
}

#[test]
fn looking_ahead_tells_what_a_delivery_does_then() {
    let mut stage = Stage::new();
    let ahead = |stage: &Stage| {
        let decisions = stage.with(|delivery| delivery.look_ahead()).unwrap();
        let run = decisions
            .iter()
            .filter(|(_, decision)| matches!(decision, Decision::Run(_)));
        run.map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ahead(&stage), "download train serve upload deploy test");
    stage.check(expect!["download train serve upload deploy test; well"]);
    assert_eq!(ahead(&stage), "");
    let steps = (&hyperparameters::STEPS, "1".to_owned());
    stage.settings.training.overrides.push(steps);
    assert_eq!(ahead(&stage), "train upload deploy test");
    stage.check(expect!["train upload deploy test; well"]);
}

#[test]
fn another_attempt_is_made_only_after_a_failure_that_may_pass() {
    let stage = Stage::new();
    let passing = Ended::Code(exit::TEMPORARY);
    stage.end(StepName::Download, &[passing, passing]);
    stage.end(StepName::Train, &[Ended::Code(exit::NO)]);
    stage.check(expect![
        "download download download train; train ended with exit code 1"
    ]);
    stage.end(StepName::Train, &[Ended::Signal(9)]);
    stage.check(expect!["train; train was ended by signal 9"]);
    stage.end(StepName::Train, &[passing, passing, passing]);
    stage.check(expect!["train train train; train ended with exit code 75"]);
}

#[test]
fn a_failed_delivery_is_continued_where_it_failed_and_as_the_same_run() {
    let stage = Stage::new();
    stage.end(StepName::Deploy, &[Ended::Code(exit::NO)]);
    stage.check(expect![
        "download train serve upload deploy; deploy ended with exit code 1"
    ]);
    stage.check(expect!["deploy test; well"]);
    assert_eq!(State::new(stage.folder.path()).runs().unwrap().len(), 1);
}

#[test]
fn an_interrupt_ends_the_delivery_before_the_next_step() {
    let stage = Stage::new();
    stage.end(StepName::Train, &[Ended::Interrupted]);
    stage.check(expect!["download train; train was interrupted"]);
    stage.interrupt.set();
    stage.check(expect!["; train was interrupted"]);
}

#[test]
fn what_is_gone_from_the_server_is_brought_back_with_all_that_follows() {
    let stage = Stage::new();
    stage.check(expect!["download train serve upload deploy test; well"]);
    stage.rehearsal.gone.borrow_mut().insert(StepName::Upload);
    stage.check(expect!["upload deploy test; well"]);
    stage.rehearsal.gone.borrow_mut().insert(StepName::Deploy);
    stage.check(expect!["deploy test; well"]);
}

#[test]
fn a_step_that_leaves_less_than_it_should_is_an_error() {
    let mut stage = Stage::new();
    stage.rehearsal.forgotten = Plan::new(&stage.settings)
        .step(StepName::Train)
        .map(|step| step.writes[0].clone());
    let error = stage.with(|delivery| delivery.deliver()).unwrap_err();
    expect!["step train ended well, but did not leave `models/mnist.safetensors`"].assert_eq(&error.to_string());
}

#[test]
fn the_output_of_a_step_is_kept() {
    let stage = Stage::new();
    stage.check(expect!["download train serve upload deploy test; well"]);
    let state = State::new(stage.folder.path());
    let run = state.runs().unwrap().pop().unwrap();
    assert_eq!(
        fs::read_to_string(state.log(&run, StepName::Train)).unwrap(),
        "working\n"
    );
}
