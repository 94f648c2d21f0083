//! What a step that ran in a pod tells about itself: through the pod's message, and documents among its lines.

use std::collections::BTreeMap;

use formats::digest::Digest;
use serde::{Deserialize, Serialize};

/// The format number of both.
pub(crate) const STEP_REPORT_FORMAT: u32 = 1;

/// How a line begins that holds a document. A step's own lines do not begin so.
const DOCUMENT: &str = "\u{1e}slipway-document ";

/// The message of a pod whose step has ended. A cluster keeps 4096 bytes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepReport {
    /// [`STEP_REPORT_FORMAT`].
    pub(crate) format: u32,
    /// The digests of the files that it left, by location.
    pub(crate) left: BTreeMap<String, Digest>,
    /// The most memory that the pod took.
    pub(crate) memory_peak_bytes: Option<u64>,
    /// Whether the system killed a process of the pod, because the pod took all of its memory.
    pub(crate) is_killed_for_memory: bool,
}

/// A small file that a step left, for whoever started it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepDocument {
    /// [`STEP_REPORT_FORMAT`].
    pub(crate) format: u32,
    /// Its location.
    pub(crate) location: String,
    /// What is in it.
    pub(crate) text: String,
}

impl StepDocument {
    /// The line that holds it.
    pub(crate) fn line(&self) -> String {
        let document = serde_json::to_string(self).expect("a document is text");
        format!("{DOCUMENT}{document}")
    }

    /// The document in a line, where it holds one.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(DOCUMENT)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_from_its_line_and_no_other_line_is_one() {
        let document = StepDocument {
            format: STEP_REPORT_FORMAT,
            location: "results/test.json".to_owned(),
            text: "{\n  \"passed\": true\n}\n".to_owned(),
        };
        let line = document.line();
        assert!(!line.contains('\n'));
        assert_eq!(StepDocument::of_line(&line), Some(document));
        assert_eq!(StepDocument::of_line("step 100 of 1000"), None);
        assert_eq!(StepDocument::of_line(&line[..line.len() - 1]), None);
    }
}
