//! What all routes share.

use std::{
    io, process,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use bytes::Bytes;

use formats::{api::ServerIdentity, name::ApplicationName};
use inference::{Application, Applications, InferenceError};

use crate::{
    Access, AccessLog, Limits, Signals, heavy::HeavyWork, http::ApiError, life::Life, metrics::Metrics, otlp::Spans,
};

/// What all routes share.
pub struct App {
    pub(crate) applications: Arc<Applications>,
    pub(crate) limits: Limits,
    pub(crate) heavy: HeavyWork,
    pub(crate) metrics: Metrics,
    pub(crate) access_log: AccessLog,
    /// Where spans go, if somebody collects them.
    pub(crate) spans: Option<Spans>,
    pub(crate) identity: ServerIdentity,
    pub(crate) life: Life,
    pub(crate) access: Access,
    /// What answers `/invocations`, where the client does not say.
    pub(crate) invocations: Option<ApplicationName>,
    /// The OpenAPI document, once somebody asked for it.
    pub(crate) document: OnceLock<Bytes>,
}

impl App {
    /// The state of a server that starts now, and in which everybody may do everything.
    pub fn new(applications: Arc<Applications>, limits: Limits) -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let started_at_ms = since_epoch.as_millis().try_into().unwrap_or(u64::MAX);
        Self {
            metrics: Metrics::new(applications.clone(), started_at_ms),
            access_log: AccessLog::default(),
            spans: None,
            applications,
            limits,
            heavy: HeavyWork::new(),
            life: Life::new(),
            identity: ServerIdentity {
                program: ServerIdentity::PROGRAM.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: process::id(),
                started_at_ms,
            },
            access: Access::open(),
            invocations: None,
            document: OnceLock::new(),
        }
    }

    /// The same, telling about single requests.
    ///
    /// Errors: the operating system has no thread to give.
    pub fn with_signals(mut self, signals: Signals) -> io::Result<Self> {
        self.access_log = signals.access_log;
        let start = |traces| Spans::start(traces, self.metrics.spans.clone());
        self.spans = signals.traces.map(start).transpose()?;
        Ok(self)
    }

    /// The same for those only whom `access` admits.
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// The same, with `application` as what answers `/invocations` where the client does not say.
    pub fn with_invocations(self, application: Option<ApplicationName>) -> Self {
        Self {
            invocations: application,
            ..self
        }
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
