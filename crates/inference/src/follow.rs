//! Following the registry: applications that were deployed elsewhere, or before this program started.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use registry::RegistryError;
use tokio::time::{self, MissedTickBehavior};
use tracing::{info, warn};

use formats::name::ApplicationName;

use crate::{Applications, InferenceError};

/// The revisions that could not be loaded, so that each is reported once and tried no more.
pub(crate) type Reports = BTreeMap<ApplicationName, NonZeroU32>;

/// What a look at the registry brought.
#[derive(Debug)]
pub enum Change {
    /// A revision answers that did not before.
    Adopted(ApplicationName, NonZeroU32),
    /// The newest revision cannot be loaded; whatever answered before still does.
    Broken(ApplicationName, InferenceError),
}

impl Applications {
    /// Adopts what is newer in the registry than here. One broken application does not stop the others.
    ///
    /// A revision that is broken for good is reported once; one that could not be reached is tried again next time.
    ///
    /// Errors: the registry cannot be listed.
    pub async fn refresh(&self) -> Result<Vec<Change>, RegistryError> {
        let mut changes = Vec::new();
        for name in self.registry().applications().await? {
            match self.refresh_one(&name).await {
                Ok(change) => changes.extend(change),
                Err(error) => changes.push(Change::Broken(name, error)),
            }
        }
        self.restored.store(true, Ordering::Release);
        Ok(changes)
    }

    /// Refreshes every `interval`, for ever, and logs what changes.
    ///
    /// Several servers on one registry agree on what is deployed within this time.
    pub async fn follow(&self, interval: Duration) {
        let mut ticks = time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut reachable, mut ready) = (true, false);
        loop {
            ticks.tick().await;
            match self.refresh().await {
                Ok(changes) => {
                    changes.iter().for_each(log);
                    if !reachable {
                        info!("the registry can be read again");
                    }
                    if !ready {
                        info!("ready: {} applications answer", self.deployed().len());
                    }
                    (reachable, ready) = (true, true);
                }
                // Serving goes on without it; one line says so, not one a second.
                Err(error) if reachable => {
                    warn!(error = &error as &dyn std::error::Error, "the registry cannot be read");
                    reachable = false;
                }
                Err(_) => {}
            }
        }
    }

    async fn refresh_one(&self, name: &ApplicationName) -> Result<Option<Change>, InferenceError> {
        let Some(newest) = self.registry().newest_number(name).await? else {
            return Ok(None);
        };
        let answers = self
            .application(name)
            .is_ok_and(|application| application.number() >= newest);
        let reported = self.reports.lock().unwrap_or_else(PoisonError::into_inner).get(name) == Some(&newest);
        if answers || reported {
            return Ok(None);
        }
        let adopted = async { self.adopt(&self.registry().current(name).await?).await }.await;
        match adopted {
            Ok(application) => Ok(Some(Change::Adopted(name.clone(), application.number()))),
            Err(error) => {
                if !passes(&error) {
                    self.reports
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(name.clone(), newest);
                }
                Err(error)
            }
        }
    }
}

/// Whether the same call may succeed later without anybody repairing anything.
fn passes(error: &InferenceError) -> bool {
    matches!(error, InferenceError::Registry(RegistryError::Store { .. }))
}

/// An application that answers says so itself; what cannot is said here.
fn log(change: &Change) {
    if let Change::Broken(name, error) = change {
        let error = error as &dyn std::error::Error;
        warn!(application = %name, error, "the newest revision of {name} cannot be served");
    }
}
