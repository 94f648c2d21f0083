//! What clients of the original leave on a server and models and applications have no place for, as a journal of events.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::version::ModelVersion;

/// The format number of entries of the journal.
pub const JOURNAL_FORMAT: u32 = 1;

/// One event, as the registry keeps it. Entries are counted from 1 and never change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// [`JOURNAL_FORMAT`].
    pub format: u32,
    /// Counted from 1.
    pub number: NonZeroU32,
    /// When it was written, in milliseconds since 1970-01-01 UTC.
    pub written_at_ms: u64,
    /// What happened.
    pub event: JournalEvent,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum JournalEvent {
    /// A version came from a client of the original, with what that told about it.
    Uploaded(Upload),
    /// A runtime was listed.
    RuntimeListed(Runtime),
    /// An environment was listed.
    EnvironmentListed(Environment),
    /// An aggregation for monitoring was added; its id is the number of this entry.
    AggregationAdded(Map<String, Value>),
    /// The aggregation that this entry added was removed.
    AggregationRemoved(NonZeroU32),
}

/// What a client told about a version that it uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// The version that came of it.
    pub model: ModelVersion,
    /// Such as `tensorflow:2.15.1`, told by the client or found in the files.
    pub model_type: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The contract that was sent along, byte for byte, in Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
}

/// A program that can serve models, in the original's world. Here it is a name that manifests may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// Of its image.
    pub name: String,
    /// The tag of its image.
    pub version: String,
    /// What it can serve, such as `tensorflow:1.7.0`.
    pub model_types: Vec<String>,
    /// For people.
    pub tags: Vec<String>,
    /// As they were told.
    pub config_params: Map<String, Value>,
}

/// Where services may run, in the original's world. Here it is a name that manifests may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The original puts services on nodes by them; they are kept as the client sent them, and nothing here reads them.
    pub placeholders: Vec<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(event: JournalEvent, expected: &str) {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<JournalEvent>(&text).unwrap(), event);
    }

    #[test]
    fn an_event_is_written_as_it_is_read() {
        let upload = Upload {
            model: "mnist:3".parse().unwrap(),
            model_type: "tensorflow:2.15.1".to_owned(),
            description: None,
            contract: Some("Ejk=".to_owned()),
        };
        check(
            JournalEvent::Uploaded(upload),
            r#"{"uploaded":{"model":"mnist:3","model_type":"tensorflow:2.15.1","contract":"Ejk="}}"#,
        );
        let seven = NonZeroU32::new(7).unwrap();
        check(JournalEvent::AggregationRemoved(seven), r#"{"aggregation_removed":7}"#);
    }

    #[test]
    fn an_event_of_a_later_program_is_not_understood() {
        assert!(serde_json::from_str::<JournalEvent>(r#"{"renamed":"mnist"}"#).is_err());
    }
}
