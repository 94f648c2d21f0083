//! Following the registry: applications that were deployed elsewhere, or before this program started.

use std::{
    num::NonZeroU32,
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use registry::RegistryError;
use tokio::time::{self, MissedTickBehavior};
use tracing::{info, warn};

use formats::name::ApplicationName;

use crate::{Applications, InferenceError};

/// How often an application that the registry keeps back holds up readiness; after that, the others are served without it.
const LOOKS_MAX: u32 = 10;

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
    /// A revision that is broken for good is reported once and tried no more; one that could not be reached is tried again
    /// next time, and reported where the reason is another one.
    ///
    /// Errors: the registry cannot be listed.
    pub async fn refresh(&self) -> Result<Vec<Change>, RegistryError> {
        let (mut changes, mut all_reached) = (Vec::new(), true);
        let answers = |name: &ApplicationName| Some(self.application(name).ok()?.number());
        let newest = self.registry().newest_revisions(answers).await;
        for (name, newest) in newest.inspect_err(|_| self.registry_answers.store(false, Ordering::Relaxed))? {
            match self.refresh_one(&name, newest).await {
                Ok(change) => changes.extend(change),
                Err(error) => {
                    all_reached &= error.outage().is_none();
                    let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
                    if broken.add(&name, newest, &error) {
                        changes.push(Change::Broken(name, error));
                    }
                }
            }
        }
        self.registry_answers.store(all_reached, Ordering::Relaxed);
        let n_looks = self.n_looks.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if all_reached || n_looks >= LOOKS_MAX {
            self.restored.store(true, Ordering::Release);
        }
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
                    if !ready && self.is_restored() {
                        info!("ready: {} applications answer", self.deployed().len());
                        ready = true;
                    }
                    reachable = true;
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

    /// Adopts the newest revision of one application.
    async fn refresh_one(&self, name: &ApplicationName, newest: NonZeroU32) -> Result<Option<Change>, InferenceError> {
        let answers = self
            .application(name)
            .is_ok_and(|application| application.number() >= newest);
        let is_broken = self
            .broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .has(name, newest);
        if answers || is_broken {
            return Ok(None);
        }
        let application = self.adopt(&self.registry().current(name).await?).await?;
        Ok(Some(Change::Adopted(name.clone(), application.number())))
    }
}

/// An application that answers says so itself; what cannot is said here.
fn log(change: &Change) {
    if let Change::Broken(name, error) = change {
        let error = error as &dyn std::error::Error;
        warn!(application = %name, error, "the newest revision of {name} cannot be served");
    }
}
