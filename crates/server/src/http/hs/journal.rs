//! The journal of the registry, read back as what it amounts to.

use std::{collections::HashMap, num::NonZeroU32};

use serde_json::{Map, Value};

use formats::{
    journal::{Environment, JournalEvent, Runtime, Upload},
    version::ModelVersion,
};
use inference::{Registry, RegistryError};

/// What all events so far amount to.
#[derive(Default)]
pub(super) struct Journal {
    /// What was told about versions that came from a client of the original.
    pub(super) uploads: HashMap<ModelVersion, Upload>,
    pub(super) runtimes: Vec<Runtime>,
    pub(super) environments: Vec<Environment>,
    /// By the number of the entry that added them, which is their id.
    pub(super) aggregations: Vec<(NonZeroU32, Map<String, Value>)>,
}

impl Journal {
    pub(super) async fn read(registry: &Registry) -> Result<Self, RegistryError> {
        let mut journal = Self::default();
        for entry in registry.journal().await? {
            match &entry.event {
                JournalEvent::Uploaded(upload) => {
                    journal.uploads.insert(upload.model.clone(), upload.clone());
                }
                JournalEvent::RuntimeListed(runtime) => journal.runtimes.push(runtime.clone()),
                JournalEvent::EnvironmentListed(environment) => journal.environments.push(environment.clone()),
                JournalEvent::AggregationAdded(value) => journal.aggregations.push((entry.number, value.clone())),
                JournalEvent::AggregationRemoved(number) => journal.aggregations.retain(|(added, _)| added != number),
            }
        }
        Ok(journal)
    }
}
