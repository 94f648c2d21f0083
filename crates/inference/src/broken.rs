//! What does not answer although it should, by name.

use std::{collections::BTreeMap, num::NonZeroU32};

use formats::{api::BrokenRevision, name::ApplicationName};

use crate::{InferenceError, with_causes};

/// The newest revisions that could not be loaded.
#[derive(Default)]
pub(crate) struct BrokenRevisions(BTreeMap<ApplicationName, Broken>);

struct Broken {
    revision: NonZeroU32,
    reason: String,
    /// Nothing but another revision can help, so it is not tried again.
    for_good: bool,
}

impl BrokenRevisions {
    /// Notes that `revision` could not be loaded; `false` where that was known.
    pub(crate) fn add(&mut self, name: &ApplicationName, revision: NonZeroU32, error: &InferenceError) -> bool {
        let broken = Broken {
            revision,
            reason: reason(error),
            for_good: error.outage().is_none(),
        };
        let is_known = |known: &Broken| known.revision == revision && known.reason == broken.reason;
        let is_news = !self.0.get(name).is_some_and(is_known);
        self.0.insert(name.clone(), broken);
        is_news
    }

    /// Whether `revision` is known to be broken for good.
    pub(crate) fn has(&self, name: &ApplicationName, revision: NonZeroU32) -> bool {
        let broken = self.0.get(name);
        broken.is_some_and(|broken| broken.for_good && broken.revision == revision)
    }

    /// Forgets what is older than `revision`, which answers.
    pub(crate) fn remove(&mut self, name: &ApplicationName, revision: NonZeroU32) {
        self.0
            .retain(|broken_name, broken| broken_name != name || broken.revision > revision);
    }

    /// All of them, as clients read them.
    pub(crate) fn all(&self) -> BTreeMap<ApplicationName, BrokenRevision> {
        let broken = self.0.iter().map(|(name, broken)| {
            let revision = BrokenRevision {
                revision: broken.revision,
                reason: broken.reason.clone(),
            };
            (name.clone(), revision)
        });
        broken.collect()
    }
}

/// The error with its causes, without what the system says of its files.
fn reason(error: &InferenceError) -> String {
    if let Some(outage) = error.outage() {
        return format!("the registry cannot be used: {outage}");
    }
    with_causes(error)
}
