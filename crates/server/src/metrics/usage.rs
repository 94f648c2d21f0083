//! What was asked for of each version, whichever way it came.

use std::sync::Arc;

use crate::metrics::{counters::Total, traffic::Traffic};

/// What one version answered for one application, or what the application answered without any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Empty where the model was asked for by its own name.
    pub(crate) application: String,
    /// Such as `mnist:3`; empty where no version answered.
    pub(crate) version: String,
    pub(crate) n_images: u64,
    /// When it answered last, in milliseconds since 1970; zero: never.
    pub(crate) last_ms: u64,
    pub(crate) succeeded: Spent,
    pub(crate) failed: Spent,
    pub(crate) reading: Spent,
    pub(crate) classifying: Spent,
    pub(crate) writing: Spent,
}

/// How often something was done, and how many nanoseconds all of it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) count: u64,
    pub(crate) ns: u64,
}

/// Adds up what came by different ways.
pub(super) fn of(all: &[Arc<Traffic>]) -> Vec<Usage> {
    let mut usages: Vec<Usage> = Vec::new();
    for traffic in all {
        let (application, version) = traffic.names();
        let is_same = |usage: &Usage| usage.application == application && usage.version == version;
        let place = usages.iter().position(is_same).unwrap_or_else(|| {
            usages.push(Usage {
                application: application.to_owned(),
                version: version.to_owned(),
                ..Usage::default()
            });
            usages.len() - 1
        });
        usages[place].add(traffic);
    }
    usages.sort_by(|one, other| (&one.application, &one.version).cmp(&(&other.application, &other.version)));
    usages
}

impl Usage {
    fn add(&mut self, traffic: &Traffic) {
        self.n_images += traffic.images.get();
        self.last_ms = self.last_ms.max(traffic.last_ms.get());
        let [reading, classifying, writing] = &traffic.parts;
        self.succeeded.add(&traffic.succeeded);
        self.failed.add(&traffic.failed);
        self.reading.add(reading);
        self.classifying.add(classifying);
        self.writing.add(writing);
    }
}

impl Spent {
    fn add(&mut self, total: &Total) {
        let (count, ns) = total.get();
        self.count += count;
        self.ns += ns;
    }
}
