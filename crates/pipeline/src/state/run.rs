//! The documents of a run.

use std::{collections::BTreeMap, fmt};

use formats::digest::Digest;
use serde::{Deserialize, Serialize};

use super::STATE_FORMAT;
use crate::{
    decide::{Done, Key},
    plan::StepName,
    time,
};

/// The name of a run, such as `000007-20260112T101530Z`.
///
/// The number comes first and grows by one, so the order of runs does not depend on the clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RunId(String);

/// `run.json`: a run and whether it came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// [`STATE_FORMAT`].
    pub(crate) format: u32,
    /// Its name.
    pub(crate) id: RunId,
    /// In milliseconds since 1970-01-01 UTC.
    pub(crate) started_at_ms: u64,
    /// When every step was done; absent in a run that the next one continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at_ms: Option<u64>,
}

/// `<step>.json`: a step that finished in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// [`STATE_FORMAT`].
    pub(crate) format: u32,
    /// Which step.
    pub(crate) step: StepName,
    /// In which run.
    pub(crate) run: RunId,
    /// With what it ran.
    pub(crate) key: Key,
    /// What it left.
    pub(crate) outputs: BTreeMap<String, Digest>,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// In milliseconds since 1970-01-01 UTC.
    pub(crate) started_at_ms: u64,
    /// In milliseconds since 1970-01-01 UTC.
    pub(crate) finished_at_ms: u64,
}

impl RunId {
    /// The name of the run that follows `last`.
    pub(crate) fn after(last: Option<&Self>) -> Self {
        let number = last.and_then(Self::number).unwrap_or(0) + 1;
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        Self(format!("{number:06}-{time}"))
    }

    /// A run's name among other names of files.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let id = Self(text.to_owned());
        id.number().map(|_| id)
    }

    fn number(&self) -> Option<u32> {
        self.0.split_once('-')?.0.parse().ok()
    }
}

#[cfg(test)]
impl From<&str> for RunId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Run {
    pub(crate) fn new(id: RunId) -> Self {
        Self {
            format: STATE_FORMAT,
            id,
            started_at_ms: time::now_ms(),
            finished_at_ms: None,
        }
    }
}

impl From<Record> for Done {
    fn from(record: Record) -> Self {
        Self {
            key: record.key,
            outputs: record.outputs,
            finished_at_ms: record.finished_at_ms,
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
