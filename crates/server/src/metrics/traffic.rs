//! What each version answers for each application.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use axum::http::StatusCode;

use formats::{name::ApplicationName, version::ModelVersion};

use crate::metrics::counters::{Counter, Statuses};

/// The counters of one version in one application, or of the application's answers that no version gave.
pub(crate) struct Traffic {
    application: ApplicationName,
    version: Option<(ModelVersion, String)>,
    pub(super) statuses: Statuses,
    pub(super) images: Counter,
}

/// The counters of everything that answered since the start. Entries are only ever added, so that no counter falls.
#[derive(Default)]
pub(super) struct AllTraffic(ArcSwap<Map>);

/// A request reads it without a lock; the first answer of a version swaps it.
type Map = BTreeMap<ApplicationName, Vec<Arc<Traffic>>>;

impl Traffic {
    pub(super) fn count(&self, status: StatusCode, n_images: u64) {
        self.statuses.count(status);
        self.images.add(n_images);
    }

    /// Application and version, empty where there is none.
    pub(crate) fn names(&self) -> (&str, &str) {
        let version = self.version.as_ref().map_or("", |(_, text)| text);
        (self.application.as_str(), version)
    }

    pub(super) fn has_version(&self) -> bool {
        self.version.is_some()
    }
}

impl AllTraffic {
    pub(super) fn of(&self, application: &ApplicationName, version: Option<&ModelVersion>) -> Arc<Traffic> {
        if let Some(traffic) = find(&self.0.load(), application, version) {
            return traffic.clone();
        }
        self.0.rcu(|map| {
            let mut next = Map::clone(map);
            if find(&next, application, version).is_none() {
                next.entry(application.clone()).or_default().push(Arc::new(Traffic {
                    application: application.clone(),
                    version: version.map(|version| (version.clone(), version.to_string())),
                    statuses: Statuses::default(),
                    images: Counter::default(),
                }));
            }
            next
        });
        let map = self.0.load();
        find(&map, application, version)
            .expect("entries are only ever added")
            .clone()
    }

    pub(super) fn all(&self) -> Vec<Arc<Traffic>> {
        self.0.load().values().flatten().cloned().collect()
    }
}

fn find<'a>(map: &'a Map, application: &ApplicationName, version: Option<&ModelVersion>) -> Option<&'a Arc<Traffic>> {
    let found = |traffic: &&Arc<Traffic>| traffic.version.as_ref().map(|(version, _)| version) == version;
    // The version that answers now is one of the last that were added.
    map.get(application)?.iter().rev().find(found)
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
                        all.of(&application, version).count(StatusCode::OK, 3);
                    }
                });
            }
        });
        let all = all.all();
        assert_eq!(all.len(), 2);
        for traffic in &all {
            assert_eq!(traffic.statuses.counted().collect::<Vec<_>>(), [("200", 8)]);
            assert_eq!(traffic.images.get(), 24);
        }
    }
}
