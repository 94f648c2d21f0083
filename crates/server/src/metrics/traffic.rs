//! What each version answers for each application.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use axum::http::StatusCode;

use formats::{name::ApplicationName, version::ModelVersion};

use crate::{
    http::RouteClass,
    metrics::counters::{Counter, Newest, Statuses, Total},
};

/// Whose answer something is.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// By which way it was asked for.
    pub(crate) class: RouteClass,
    /// `None` where a model was asked for by its own name.
    pub(crate) application: Option<&'a ApplicationName>,
    /// `None` where no version answered.
    pub(crate) version: Option<&'a ModelVersion>,
}

/// The counters of one version in one application by one way, or of the application's answers that no version gave.
pub(crate) struct Traffic {
    class: RouteClass,
    application: Option<ApplicationName>,
    version: Option<(ModelVersion, String)>,
    pub(super) statuses: Statuses,
    pub(super) images: Counter,
    pub(super) succeeded: Total,
    pub(super) failed: Total,
    pub(super) parts: [Total; 3],
    pub(super) last_ms: Newest,
}

/// How long the parts of a prediction took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) reading: Duration,
    pub(crate) classifying: Duration,
    pub(crate) writing: Duration,
}

/// The counters of everything that answered since the start. Entries are only ever added, so that no counter falls.
#[derive(Default)]
pub(super) struct AllTraffic(ArcSwap<Map>);

/// A request reads it without a lock; the first answer of a version swaps it.
type Map = BTreeMap<Option<ApplicationName>, Vec<Arc<Traffic>>>;

impl Traffic {
    pub(super) fn count(&self, status: StatusCode, n_images: u64, duration: Duration, parts: Option<Parts>) {
        self.statuses.count(status);
        self.images.add(n_images);
        let total = if status.is_success() {
            &self.succeeded
        } else {
            &self.failed
        };
        total.add(duration);
        if let Some(parts) = parts {
            let parts = [parts.reading, parts.classifying, parts.writing];
            self.parts.iter().zip(parts).for_each(|(total, part)| total.add(part));
            self.last_ms.set(SystemTime::now());
        }
    }

    /// By which way it was asked for.
    pub(crate) fn class(&self) -> RouteClass {
        self.class
    }

    /// Application and version, empty where there is none.
    pub(crate) fn names(&self) -> (&str, &str) {
        let application = self.application.as_ref().map_or("", ApplicationName::as_str);
        let version = self.version.as_ref().map_or("", |(_, text)| text);
        (application, version)
    }

    /// The version that answered, if one did.
    pub(crate) fn version(&self) -> Option<&ModelVersion> {
        self.version.as_ref().map(|(version, _)| version)
    }

    fn is_of(&self, subject: Subject<'_>) -> bool {
        self.class == subject.class && self.version() == subject.version
    }
}

impl AllTraffic {
    pub(super) fn of(&self, subject: Subject<'_>) -> Arc<Traffic> {
        if let Some(traffic) = find(&self.0.load(), subject) {
            return traffic.clone();
        }
        self.0.rcu(|map| {
            let mut next = Map::clone(map);
            if find(&next, subject).is_none() {
                let application = subject.application.cloned();
                next.entry(application.clone()).or_default().push(Arc::new(Traffic {
                    class: subject.class,
                    application,
                    version: subject.version.map(|version| (version.clone(), version.to_string())),
                    statuses: Statuses::default(),
                    images: Counter::default(),
                    succeeded: Total::default(),
                    failed: Total::default(),
                    parts: Default::default(),
                    last_ms: Newest::default(),
                }));
            }
            next
        });
        let map = self.0.load();
        find(&map, subject).expect("entries are only ever added").clone()
    }

    pub(super) fn all(&self) -> Vec<Arc<Traffic>> {
        self.0.load().values().flatten().cloned().collect()
    }
}

fn find<'a>(map: &'a Map, subject: Subject<'_>) -> Option<&'a Arc<Traffic>> {
    // A map of names that may be missing would take a copy of the name to look it up.
    let mut entries = map
        .iter()
        .filter(|(application, _)| application.as_ref() == subject.application);
    let (_, of_application) = entries.next()?;
    // The version that answers now is one of the last that were added.
    of_application.iter().rev().find(|traffic| traffic.is_of(subject))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_come_first_at_once_share_one_counter() {
        let all = AllTraffic::default();
        let (application, version) = ("a".parse().unwrap(), "m:1".parse().unwrap());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for version in [Some(&version), None] {
                        let subject = Subject {
                            class: RouteClass::Gateway,
                            application: Some(&application),
                            version,
                        };
                        let traffic = all.of(subject);
                        traffic.count(StatusCode::OK, 3, Duration::from_nanos(5), Some(Parts::default()));
                    }
                });
            }
        });
        let all = all.all();
        assert_eq!(all.len(), 2);
        for traffic in &all {
            assert_eq!(traffic.statuses.counted().collect::<Vec<_>>(), [("200", 8)]);
            assert_eq!(traffic.images.get(), 24);
            assert_eq!(traffic.succeeded.get(), (8, 40));
            assert_eq!(traffic.failed.get(), (0, 0));
        }
    }
}
