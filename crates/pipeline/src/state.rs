//! What delivery runs remember, in the folder `.pipeline`: one folder for each run, one document for each step that
//! finished in it.

mod digests;
mod lock;
mod run;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;

pub(crate) use digests::Digests;
pub(crate) use lock::{Lock, delivering, hold_as_task};
pub(crate) use run::{Record, Run, RunId};

use crate::{files, plan::StepName};

/// How many runs are kept. One that holds the newest document of a step stays beyond that.
pub(crate) const RUNS_MAX: usize = 20;

/// The format number of every document of this folder.
pub(crate) const STATE_FORMAT: u32 = 1;

/// What deliveries remember from one to the next.
pub(crate) trait Memory {
    /// The newest document of each step.
    fn records(&self) -> anyhow::Result<BTreeMap<StepName, Record>>;

    /// Goes on with the newest run if it has not finished, or starts another.
    fn begin(&self) -> anyhow::Result<Run>;

    /// Remembers that a step finished.
    fn keep(&self, record: &Record) -> anyhow::Result<()>;

    /// Ends a run.
    fn finish(&self, run: &mut Run) -> anyhow::Result<()>;

    /// The file of this machine that keeps the output of a step in a run.
    fn log(&self, run: &RunId, step: StepName) -> PathBuf;
}

/// The state of deliveries from one folder.
#[derive(Debug, Clone)]
pub(crate) struct State {
    folder: PathBuf,
}

impl State {
    /// Where the small documents are that one step hands to the next, seen from the root.
    pub(crate) const RESULTS: &'static str = ".pipeline/results";

    /// The state of deliveries from `root`. Nothing is made before something is kept.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            folder: root.join(".pipeline"),
        }
    }

    /// What this machine keeps of deliveries into a namespace of a cluster: what steps wrote, and copies of results.
    pub(crate) fn of_namespace(root: &Path, namespace: &str) -> Self {
        Self {
            folder: root.join(".pipeline/kubernetes").join(namespace),
        }
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Holds the folder against a second delivery, or tells who has it.
    pub(crate) fn lock(&self) -> anyhow::Result<Lock> {
        lock::lock(&self.folder.join("lock"))
    }

    /// The process id of the delivery that is under way.
    pub(crate) fn delivering(&self) -> Option<u32> {
        delivering(&self.folder.join("lock"))
    }

    /// All runs, oldest first.
    pub(crate) fn runs(&self) -> anyhow::Result<Vec<RunId>> {
        let folder = self.folder.join("runs");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| format!("cannot list `{}`", folder.display()))?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut runs: Vec<RunId> = names.filter_map(|name| RunId::parse(&name)).collect();
        runs.sort();
        Ok(runs)
    }

    /// A run's own document. A run that was killed before it could write one has none.
    pub(crate) fn run(&self, id: &RunId) -> anyhow::Result<Option<Run>> {
        files::read_json(&self.run_document(id))
    }

    /// Removes the oldest runs.
    pub(crate) fn prune(&self) -> anyhow::Result<()> {
        let runs = self.runs()?;
        let records = self.records()?;
        for old in &runs[..runs.len().saturating_sub(RUNS_MAX)] {
            if records.values().all(|record| record.run != *old) {
                let folder = self.run_folder(old);
                fs::remove_dir_all(&folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
            }
        }
        Ok(())
    }

    fn run_folder(&self, run: &RunId) -> PathBuf {
        self.folder.join("runs").join(run.to_string())
    }

    fn run_document(&self, run: &RunId) -> PathBuf {
        self.run_folder(run).join("run.json")
    }

    fn record_document(&self, run: &RunId, step: StepName) -> PathBuf {
        self.run_folder(run).join(format!("{step}.json"))
    }
}

impl Memory for State {
    fn records(&self) -> anyhow::Result<BTreeMap<StepName, Record>> {
        let mut records = BTreeMap::new();
        for run in self.runs()? {
            for step in StepName::ALL {
                match files::read_json::<Record>(&self.record_document(&run, step)) {
                    Ok(Some(record)) => drop(records.insert(step, record)),
                    Ok(None) => {}
                    // The step runs again, which repairs it.
                    Err(error) => tracing::warn!("a record is passed over: {error:#}"),
                }
            }
        }
        Ok(records)
    }

    fn begin(&self) -> anyhow::Result<Run> {
        files::remove_staged(&self.folder.join("results"))?;
        let runs = self.runs()?;
        if let Some(id) = runs.last() {
            files::remove_staged(&self.run_folder(id))?;
            match self.run(id)? {
                Some(run) if run.finished_at_ms.is_none() => return Ok(run),
                _ => {}
            }
        }
        let run = Run::new(RunId::after(runs.last()));
        files::write_json(&self.run_document(&run.id), &run)?;
        Ok(run)
    }

    fn keep(&self, record: &Record) -> anyhow::Result<()> {
        files::write_json(&self.record_document(&record.run, record.step), record)
    }

    fn finish(&self, run: &mut Run) -> anyhow::Result<()> {
        run.finished_at_ms = Some(crate::time::now_ms());
        files::write_json(&self.run_document(&run.id), run)?;
        self.prune()
    }

    fn log(&self, run: &RunId, step: StepName) -> PathBuf {
        self.run_folder(run).join(format!("{step}.log"))
    }
}

#[cfg(test)]
mod tests;
