//! The one loop: step after step, decide, run, remember.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use console::exit;

use crate::{
    decide::{self, Decision, Done, Key, Observed, Reason, Standing},
    executor::{Ended, Executor},
    interrupt::Interrupt,
    plan::{Kind, Location, Plan, Step, StepName},
    state::{Memory, Record, Run, RunId, STATE_FORMAT},
    time,
};

/// Everything that a delivery needs.
pub(crate) struct Delivery<'a> {
    /// What is to be done.
    pub(crate) plan: &'a Plan,
    /// Who does it.
    pub(crate) executor: &'a dyn Executor,
    /// What is remembered.
    pub(crate) memory: &'a dyn Memory,
    /// Whether to stop.
    pub(crate) interrupt: &'a Interrupt,
    /// How failures that may pass are met.
    pub(crate) attempts: Attempts,
    /// Shows a line to a person.
    pub(crate) say: &'a dyn Fn(&str),
}

/// How often a step is tried, and how long the first pause is; each one after it is twice as long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempts {
    pub(crate) max: NonZeroU32,
    pub(crate) pause: Duration,
}

/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How far a delivery came.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// The run that was begun or continued; absent where there was nothing to do.
    pub(crate) run: Option<RunId>,
    /// What became of each step, as far as it came.
    pub(crate) steps: Vec<StepResult>,
}

/// What became of a step.
#[derive(Debug)]
pub(crate) struct StepResult {
    pub(crate) step: StepName,
    /// Why it ran or did not.
    pub(crate) reason: Reason,
    /// How it ended; absent where it was skipped.
    pub(crate) ended: Option<Ended>,
    /// How long it took, with all attempts.
    pub(crate) took: Duration,
}

impl Delivered {
    /// How the step ended that stopped the delivery.
    pub(crate) fn failure(&self) -> Option<(StepName, Ended)> {
        let last = self.steps.last()?;
        let ended = last.ended.filter(|ended| *ended != Ended::Code(exit::DONE))?;
        Some((last.step, ended))
    }
}

impl Delivery<'_> {
    /// Decides about every step, as far as that can be known before the first one runs.
    pub(crate) fn look_ahead(&self) -> anyhow::Result<Vec<(StepName, Decision)>> {
        let mut records = self.memory.records()?;
        let mut upcoming = BTreeSet::new();
        let mut decisions = Vec::new();
        for step in &self.plan.steps {
            let done = records.remove(&step.name).map(Done::from);
            let decision = self.decide(step, &self.executor.key(step)?, done.as_ref(), &upcoming)?;
            if matches!(decision, Decision::Run(_)) {
                upcoming.extend(step.writes.iter().filter(|location| location.file.is_some()).cloned());
            }
            decisions.push((step.name, decision));
        }
        Ok(decisions)
    }

    /// Runs what is not up to date, until everything is or a step fails.
    pub(crate) fn deliver(&self) -> anyhow::Result<Delivered> {
        let mut records = self.memory.records()?;
        let mut run = None;
        let mut steps = Vec::new();
        for step in &self.plan.steps {
            let key = self.executor.key(step)?;
            let done = records.remove(&step.name).map(Done::from);
            let decision = self.decide(step, &key, done.as_ref(), &BTreeSet::new())?;
            let started = Instant::now();
            let (reason, ended) = match decision {
                Decision::Skip(reason) => {
                    (self.say)(&format!("{:<8} skipped: {reason}", step.name));
                    (reason, None)
                }
                Decision::Run(reason) => {
                    (self.say)(&format!("{:<8} runs: {reason}", step.name));
                    let run = match &mut run {
                        Some(run) => run,
                        None => run.insert(self.memory.begin()?),
                    };
                    (reason, Some(self.carry_out(step, key, run)?))
                }
            };
            let took = started.elapsed();
            if let Some(ended) = ended {
                (self.say)(&match ended {
                    Ended::Code(exit::DONE) => format!("{:<8} done in {}", step.name, time::span(took)),
                    other => format!("{:<8} {other}", step.name),
                });
            }
            steps.push(StepResult {
                step: step.name,
                reason,
                ended,
                took,
            });
            if ended.is_some_and(|ended| ended != Ended::Code(exit::DONE)) {
                return Ok(Delivered {
                    run: run.map(|run| run.id),
                    steps,
                });
            }
        }
        if let Some(run) = &mut run {
            self.memory.finish(run)?;
        }
        Ok(Delivered {
            run: run.map(|run| run.id),
            steps,
        })
    }

    fn decide(
        &self,
        step: &Step,
        key: &Key,
        done: Option<&Done>,
        upcoming: &BTreeSet<Location>,
    ) -> anyhow::Result<Decision> {
        match step.kind {
            Kind::Service => Ok(decide::service(&self.executor.service()?, key)),
            Kind::Task => Ok(decide::task(step, done, &self.observe(step, key, done)?, upcoming)),
        }
    }

    fn observe(&self, step: &Step, key: &Key, done: Option<&Done>) -> anyhow::Result<Observed> {
        let files = step.writes.iter().filter(|location| location.file.is_some());
        let outputs: BTreeMap<_, _> = files
            .map(|location| Ok((location.to_string(), self.executor.digest(location)?)))
            .collect::<anyhow::Result<_>>()?;
        let is_whole = |done: &Done| (done.outputs.iter()).all(|(name, left)| outputs.get(name) == Some(&Some(*left)));
        // The server is asked about what the files tell; files that are gone or changed tell nothing.
        let standing = match done {
            Some(done) if is_whole(done) => self.executor.standing(step)?,
            Some(_) | None => Standing::Stands,
        };
        Ok(Observed {
            key: key.clone(),
            outputs,
            standing,
        })
    }

    fn carry_out(&self, step: &Step, key: Key, run: &Run) -> anyhow::Result<Ended> {
        if step.kind == Kind::Service {
            return self.executor.start(step, &key, &run.id);
        }
        let started_at_ms = time::now_ms();
        let (ended, attempts) = self.attempt(step, run)?;
        if ended == Ended::Code(exit::DONE) {
            self.memory.keep(&Record {
                format: STATE_FORMAT,
                step: step.name,
                run: run.id.clone(),
                key,
                outputs: self.outputs(step)?,
                attempts,
                started_at_ms,
                finished_at_ms: time::now_ms(),
            })?;
        }
        Ok(ended)
    }

    /// Runs a task until it ends otherwise than with a failure that may pass, or often enough.
    fn attempt(&self, step: &Step, run: &Run) -> anyhow::Result<(Ended, u32)> {
        let path = self.memory.log(&run.id, step.name);
        let mut log = open_log(&path).with_context(|| format!("cannot open `{}`", path.display()))?;
        let mut output = |line: &str| {
            (self.say)(&format!("{:<8} | {line}", step.name));
            // A full disk must not stop a step whose output somebody sees.
            let _ = writeln!(log, "{line}");
        };
        let mut pause = self.attempts.pause;
        let mut attempt = 1;
        loop {
            if self.interrupt.is_set() {
                return Ok((Ended::Interrupted, attempt));
            }
            let ended = self.executor.run(step, &run.id, &mut output)?;
            if ended != Ended::Code(exit::TEMPORARY) || attempt == self.attempts.max.get() {
                return Ok((ended, attempt));
            }
            attempt += 1;
            let max = self.attempts.max;
            output(&format!(
                "this may pass: attempt {attempt} of {max} in {}",
                time::span(pause)
            ));
            self.interrupt.pause(pause);
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }

    fn outputs(&self, step: &Step) -> anyhow::Result<BTreeMap<String, formats::digest::Digest>> {
        let mut outputs = BTreeMap::new();
        for location in step.writes.iter().filter(|location| location.file.is_some()) {
            match self.executor.digest(location)? {
                Some(digest) => drop(outputs.insert(location.to_string(), digest)),
                None => bail!("step {} ended well, but did not leave `{location}`", step.name),
            }
        }
        Ok(outputs)
    }
}

fn open_log(path: &std::path::Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::options().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests;
