//! What all routes share.

use std::{process, sync::Arc, time::SystemTime};

use formats::{
    api::ServerIdentity,
    name::{ApplicationName, SignatureName},
};
use inference::{Application, Applications, InferenceError, Route};

use crate::{Limits, http::ApiError, metrics::Metrics};

/// What all routes share.
pub struct App {
    pub(crate) applications: Arc<Applications>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) identity: ServerIdentity,
}

impl App {
    /// The state of a server that starts now.
    pub fn new(applications: Arc<Applications>, limits: Limits) -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let started_at_ms = since_epoch.as_millis().try_into().unwrap_or(u64::MAX);
        Self {
            metrics: Metrics::new(applications.clone(), started_at_ms),
            applications,
            limits,
            identity: ServerIdentity {
                program: ServerIdentity::PROGRAM.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: process::id(),
                started_at_ms,
            },
        }
    }

    /// What answers under these names.
    pub(crate) fn route(
        &self,
        application: &ApplicationName,
        signature: &SignatureName,
    ) -> Result<Arc<Route>, ApiError> {
        self.applications
            .route(application, signature)
            .map_err(|error| self.unless_restoring(error))
    }

    /// The application that answers under this name.
    pub(crate) fn application(&self, name: &ApplicationName) -> Result<Arc<Application>, ApiError> {
        self.applications
            .application(name)
            .map_err(|error| self.unless_restoring(error))
    }

    /// Nobody may be told that an application does not exist while it may just not be loaded yet.
    fn unless_restoring(&self, error: InferenceError) -> ApiError {
        match error {
            InferenceError::UnknownApplication { .. } if !self.applications.is_restored() => ApiError::NotReady,
            error => error.into(),
        }
    }
}
