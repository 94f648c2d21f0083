//! What deliveries into a namespace remember: in the namespace itself, so that it does not matter who goes on.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf};

use anyhow::Context;
use formats::digest::Digest;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    cluster::{Cluster, Conflicts},
    objects::names,
};
use crate::{
    files,
    plan::{Location, Place, StepName, results},
    report::StepDocument,
    state::{Memory, Record, Run, RunId, State},
    time,
};

const RUN: &str = "run.json";
/// The ids of the claims whose volumes the records tell of.
const CLAIMS: &str = "claims.json";
/// Which programs are in the image of the last delivery.
const IMAGE: &str = "image.json";

/// An image, and what is in it.
#[derive(Debug, Serialize, Deserialize)]
struct Image {
    image: String,
    programs: BTreeMap<String, Digest>,
}

/// The documents of a namespace. What steps wrote, and copies of their results, lie in a folder of this machine.
pub(crate) struct ClusterMemory<'a> {
    cluster: &'a Cluster,
    folder: State,
    documents: RefCell<BTreeMap<String, String>>,
}

impl<'a> ClusterMemory<'a> {
    /// Reads what the namespace remembers, and copies the results of its steps into `folder`.
    pub(crate) fn open(cluster: &'a Cluster, folder: State) -> anyhow::Result<Self> {
        let object = cluster
            .find::<ConfigMap>(names::STATE)
            .context("cannot read what was delivered")?;
        let documents = object.and_then(|object| object.data).unwrap_or_default();
        let memory = Self {
            cluster,
            folder,
            documents: RefCell::new(documents),
        };
        for location in [
            results::published(),
            results::deployed(),
            results::test_report(),
            results::example(),
        ] {
            if let Some(text) = memory.documents.borrow().get(&name(&location.to_string())) {
                files::write(&memory.path(&location), text.as_bytes())?;
            }
        }
        Ok(memory)
    }

    /// The copy of a result on this machine.
    pub(crate) fn path(&self, location: &Location) -> PathBuf {
        let file = location.file.as_deref().unwrap_or_default();
        self.folder.folder().join("results").join(file)
    }

    /// Where this machine keeps what steps wrote.
    pub(crate) fn folder(&self) -> &State {
        &self.folder
    }

    /// The run that was begun last.
    pub(crate) fn run(&self) -> Option<Run> {
        self.read(RUN)
    }

    /// The ids of claims by name, as they were when the records were made.
    pub(crate) fn claims(&self) -> BTreeMap<String, String> {
        self.read(CLAIMS).unwrap_or_default()
    }

    /// Remembers on which claims the records are about.
    pub(crate) fn keep_claims(&self, claims: &BTreeMap<String, String>) -> anyhow::Result<()> {
        if *claims == self.claims() {
            return Ok(());
        }
        self.write(&[(CLAIMS.to_owned(), text(claims)?)])
    }

    /// The digests of the programs in this image, by name, where somebody has looked.
    pub(crate) fn programs(&self, image: &str) -> Option<BTreeMap<String, Digest>> {
        let known: Image = self.read(IMAGE)?;
        (known.image == image).then_some(known.programs)
    }

    /// Remembers which programs are in an image: a name that means another one some day is not taken for it.
    pub(crate) fn keep_programs(&self, image: &str, programs: &BTreeMap<String, Digest>) -> anyhow::Result<()> {
        let image = Image {
            image: image.to_owned(),
            programs: programs.clone(),
        };
        self.write(&[(IMAGE.to_owned(), text(&image)?)])
    }

    /// Keeps the documents that a step handed over.
    pub(crate) fn keep_documents(&self, documents: &[StepDocument]) -> anyhow::Result<()> {
        for document in documents {
            let file = document.location.rsplit('/').next().unwrap_or_default();
            files::write(
                &self.path(&Location::file(Place::Results, file)),
                document.text.as_bytes(),
            )?;
        }
        let entries = documents
            .iter()
            .map(|document| (name(&document.location), document.text.clone()));
        self.write(&entries.collect::<Vec<_>>())
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        // A document of another build is none: the step runs again, which repairs it.
        serde_json::from_str(self.documents.borrow().get(key)?).ok()
    }

    fn write(&self, entries: &[(String, String)]) -> anyhow::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.documents.borrow_mut().extend(entries.iter().cloned());
        self.cluster.apply(&self.object(), Conflicts::Force)?;
        Ok(())
    }

    fn object(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": names::STATE,
                "labels": {"app.kubernetes.io/name": "slipway", "app.kubernetes.io/managed-by": "pipeline"},
            },
            "data": *self.documents.borrow(),
        })
    }
}

impl Memory for ClusterMemory<'_> {
    fn records(&self) -> anyhow::Result<BTreeMap<StepName, Record>> {
        let records = StepName::ALL
            .into_iter()
            .filter_map(|step| Some((step, self.read(&record(step))?)));
        Ok(records.collect())
    }

    fn begin(&self) -> anyhow::Result<Run> {
        let last = self.run();
        if let Some(run) = last.clone().filter(|run| run.finished_at_ms.is_none()) {
            return Ok(run);
        }
        let run = Run::new(RunId::after(last.as_ref().map(|run| &run.id)));
        self.write(&[(RUN.to_owned(), text(&run)?)])?;
        Ok(run)
    }

    fn keep(&self, kept: &Record) -> anyhow::Result<()> {
        self.write(&[(record(kept.step), text(kept)?)])
    }

    fn finish(&self, run: &mut Run) -> anyhow::Result<()> {
        run.finished_at_ms = Some(time::now_ms());
        self.write(&[(RUN.to_owned(), text(run)?)])?;
        self.folder.prune()
    }

    fn log(&self, run: &RunId, step: StepName) -> PathBuf {
        self.folder.log(run, step)
    }
}

fn record(step: StepName) -> String {
    format!("{step}.json")
}

/// The key of a result: its file's name.
fn name(location: &str) -> String {
    let file = location.rsplit('/').next().unwrap_or(location);
    // `test.json` is the record of the step `test`.
    format!("result-{file}")
}

fn text(document: &impl Serialize) -> anyhow::Result<String> {
    serde_json::to_string(document).context("cannot write a document")
}
