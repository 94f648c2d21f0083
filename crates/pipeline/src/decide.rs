//! Whether a step runs, and why: a pure function of what it would do now, what it did before, and what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use formats::digest::Digest;
use serde::{Deserialize, Serialize};

use crate::{
    plan::{Kind, Location, Program, Step, Value},
    time,
};

/// Everything that decides what a step leaves. Equal keys leave equal results.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Values by flag.
    pub arguments: BTreeMap<String, String>,
    /// Digests of the files that it reads; those that are not there have none.
    pub inputs: BTreeMap<String, Option<Digest>>,
    /// Digests of the programs that matter.
    pub programs: BTreeMap<String, Digest>,
}

/// What a task did when it last finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// With what it ran.
    pub key: Key,
    /// The digests of what it left.
    pub outputs: BTreeMap<String, Digest>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub finished_at_ms: u64,
}

/// What is known about a task now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// With what it would run.
    pub key: Key,
    /// What is there of what it leaves.
    pub outputs: BTreeMap<String, Option<Digest>>,
    /// Whether its effect outside of files is still there.
    pub standing: Standing,
}

/// Whether the effect of a step on the server is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is, or the step has none.
    Stands,
    /// It is not, for this reason.
    Gone(String),
    /// Nobody can tell, because the server does not answer.
    Unknown,
}

/// The service as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// It does not run.
    Stopped,
    /// It runs.
    Running {
        /// With what it was started.
        key: Key,
        /// When, in milliseconds since 1970-01-01 UTC.
        started_at_ms: u64,
        /// What it is called: `process 4242`.
        id: String,
        /// Whether it is ready for requests.
        is_ready: bool,
    },
}

/// Whether a step runs, with the reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// There is nothing to do.
    Skip(Reason),
    /// It runs.
    Run(Reason),
}

/// Why, in words, and since when nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A fragment such as `steps changed from 10 to 20`.
    pub text: String,
    /// In milliseconds since 1970-01-01 UTC, for a step that is skipped.
    pub since_ms: Option<u64>,
}

/// Decides about a task.
///
/// `upcoming` are the locations that steps before it will write in this run. They are known when a whole plan is
/// looked at; a run that has come to this step has none.
pub fn task(step: &Step, done: Option<&Done>, observed: &Observed, upcoming: &BTreeSet<Location>) -> Decision {
    let Some(done) = done else {
        return run("it has not finished before");
    };
    if let Some(reason) = changed(&done.key, &observed.key) {
        return run(&reason);
    }
    if step.is_refreshed() {
        return run("it is asked to look again");
    }
    if let Some(location) = step.reads.iter().find(|location| upcoming.contains(location)) {
        return run(&format!("a step before it writes `{}`", name_of(&location.to_string())));
    }
    if let Some(reason) = changed_inputs(&done.key, &observed.key) {
        return run(&reason);
    }
    for (location, left) in &done.outputs {
        match observed.outputs.get(location) {
            Some(Some(found)) if found == left => {}
            Some(Some(_)) => return run(&format!("what it left in `{}` was changed", name_of(location))),
            Some(None) | None => return run(&format!("`{}`, which it left, is missing", name_of(location))),
        }
    }
    let skip = |text: &str| {
        Decision::Skip(Reason {
            text: text.to_owned(),
            since_ms: Some(done.finished_at_ms),
        })
    };
    match &observed.standing {
        Standing::Stands => skip("nothing has changed"),
        Standing::Gone(reason) => run(reason),
        Standing::Unknown => skip("nothing has changed here (the server, which does not answer, was not asked)"),
    }
}

/// Decides about a service, whose key has its arguments written out.
pub fn service(service: &Service, wanted: &Key) -> Decision {
    match service {
        Service::Stopped => run("it does not run"),
        Service::Running {
            key,
            started_at_ms,
            id,
            is_ready,
        } => match changed(key, wanted) {
            Some(reason) => run(&reason),
            None if !is_ready => run(&format!("{id} runs but is not ready")),
            None => Decision::Skip(Reason {
                text: format!("{id} runs with the same settings"),
                since_ms: Some(*started_at_ms),
            }),
        },
    }
}

/// How arguments or programs differ, in words.
fn changed(before: &Key, now: &Key) -> Option<String> {
    let flags: BTreeSet<&String> = before.arguments.keys().chain(now.arguments.keys()).collect();
    let differences: Vec<String> = flags
        .into_iter()
        .filter_map(|flag| {
            let name = flag.trim_start_matches('-').replace('-', "_");
            match (before.arguments.get(flag), now.arguments.get(flag)) {
                (Some(old), Some(new)) if old == new => None,
                (Some(old), Some(new)) => Some(format!("{name} changed from {old} to {new}")),
                (None, Some(new)) if new.is_empty() => Some(format!("{name} is now on")),
                (None, Some(new)) => Some(format!("{name} is now {new}")),
                (Some(_), None) => Some(format!("{name} is not set any more")),
                (None, None) => None,
            }
        })
        .collect();
    if !differences.is_empty() {
        return Some(differences.join(", "));
    }
    let rebuilt = |(program, digest): &(&String, &Digest)| before.programs.get(*program) != Some(digest);
    let (program, _) = now.programs.iter().find(rebuilt)?;
    Some(format!("the program `{program}` is another build"))
}

fn changed_inputs(before: &Key, now: &Key) -> Option<String> {
    let differs = |(location, digest): &(&String, &Option<Digest>)| before.inputs.get(*location) != Some(digest);
    let (location, digest) = now.inputs.iter().find(differs)?;
    let name = name_of(location);
    Some(match (digest, before.inputs.contains_key(location)) {
        (None, _) => format!("`{name}`, which it reads, is missing"),
        (Some(_), true) => format!("`{name}`, which it reads, has changed"),
        (Some(_), false) => format!("it now reads `{name}`"),
    })
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        match self.since_ms {
            Some(since_ms) => write!(formatter, " since {}", time::moment(since_ms)),
            None => Ok(()),
        }
    }
}

impl Key {
    /// The key of a step, its values written out by `resolve`, its files and programs digested by the others.
    pub fn new<E>(
        step: &Step,
        resolve: impl Fn(&Value) -> String,
        digest: impl Fn(&Location) -> Result<Option<Digest>, E>,
        build: impl Fn(Program) -> Result<Digest, E>,
    ) -> Result<Self, E> {
        // What opens the server decides what a server lets in, and nothing of what a task leaves.
        let is_beside = |value: &Value| matches!(value, Value::TokenFile | Value::ApiKeysFile | Value::Refresh);
        let arguments =
            (step.arguments.iter()).filter(|argument| step.kind == Kind::Service || !is_beside(&argument.value));
        let inputs = step.reads.iter().filter(|location| location.file.is_some());
        Ok(Self {
            arguments: arguments
                .map(|argument| (argument.flag.to_owned(), resolve(&argument.value)))
                .collect(),
            inputs: inputs
                .map(|location| Ok((location.to_string(), digest(location)?)))
                .collect::<Result<_, E>>()?,
            programs: (step.builds.iter())
                .map(|&program| Ok((program.as_str().to_owned(), build(program)?)))
                .collect::<Result<_, E>>()?,
        })
    }
}

fn run(reason: &str) -> Decision {
    Decision::Run(Reason {
        text: reason.to_owned(),
        since_ms: None,
    })
}

/// The file of a location as a person knows it, without the place.
fn name_of(location: &str) -> &str {
    location.rsplit('/').next().unwrap_or(location)
}

#[cfg(test)]
mod tests;
