//! Where places and addresses are: folders under one root on this machine, volumes of a pod in a cluster.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    plan::{Location, Place, Value},
    server_url::ServerUrl,
    settings::{Registry, Settings},
    state::State,
};

/// The folder in a pod below which every place is.
pub(crate) const IN_POD: &str = "/slipway";
/// The port at which a server listens in its pod.
pub(crate) const SERVER_PORT: u16 = 8080;
/// Longer than a cluster takes to learn that a pod ends, and to stop sending it new connections.
const POD_DRAIN_DELAY: Duration = Duration::from_secs(5);

/// Where a step finds everything. Paths are relative to the folder in which programs run, or absolute in a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    project: PathBuf,
    data: PathBuf,
    models: PathBuf,
    registry: PathBuf,
    results: PathBuf,
    listen: String,
    server_url: ServerUrl,
    drain_delay: Duration,
    token_file: Option<PathBuf>,
    api_keys_file: Option<PathBuf>,
}

impl Places {
    /// The places on this machine, as the settings name them.
    pub fn new(settings: &Settings) -> Self {
        Self {
            project: PathBuf::new(),
            results: PathBuf::from(State::RESULTS),
            // Nobody distributes requests over several servers here, so there is nobody to wait for.
            drain_delay: Duration::ZERO,
            data: settings.data.dir.clone(),
            models: settings.training.models_dir.clone(),
            registry: match &settings.server.registry {
                Registry::Folder(folder) => folder.clone(),
                // No step reads or writes there.
                Registry::Bucket(_) => PathBuf::new(),
            },
            listen: settings.server.listen.to_string(),
            server_url: ServerUrl::of_listener(settings.server.listen),
            token_file: settings.server.management_token_file.clone(),
            api_keys_file: settings.server.api_keys_file.clone(),
        }
    }

    /// The places in a pod, which reaches the server at `server_url`.
    pub(crate) fn in_pod(settings: &Settings, server_url: ServerUrl) -> Self {
        let place = |place| Path::new(IN_POD).join(Place::as_str(place));
        let secret = |file: &Option<PathBuf>, name: &str| file.as_ref().map(|_| Path::new(IN_POD).join(name));
        Self {
            project: place(Place::Project),
            data: place(Place::Data),
            models: place(Place::Models),
            registry: place(Place::Registry),
            results: place(Place::Results),
            listen: format!("0.0.0.0:{SERVER_PORT}"),
            server_url,
            drain_delay: POD_DRAIN_DELAY,
            token_file: secret(&settings.server.management_token_file, "management/token"),
            api_keys_file: secret(&settings.server.api_keys_file, "api-keys/keys"),
        }
    }

    /// The path of a location.
    pub fn path(&self, location: &Location) -> PathBuf {
        let folder = match location.place {
            Place::Project => &self.project,
            Place::Data => &self.data,
            Place::Models => &self.models,
            Place::Registry => &self.registry,
            Place::Results => &self.results,
        };
        match &location.file {
            Some(file) => folder.join(file),
            None => folder.to_owned(),
        }
    }

    /// A value as it stands on a command line; nothing for a switch.
    pub fn resolve(&self, value: &Value, run: &str) -> Option<String> {
        let file = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        match value {
            Value::Switch | Value::Refresh => None,
            Value::Text(text) => Some(text.clone()),
            Value::Location(location) => Some(self.path(location).display().to_string()),
            Value::Run => Some(run.to_owned()),
            Value::Listen => Some(self.listen.clone()),
            Value::ServerUrl => Some(self.server_url.to_string()),
            Value::DrainDelay => Some(self.drain_delay.as_millis().to_string()),
            Value::TokenFile => file(&self.token_file),
            Value::ApiKeysFile => file(&self.api_keys_file),
        }
    }

    /// The address at which the server listens.
    pub fn listen(&self) -> &str {
        &self.listen
    }

    /// Where the server answers.
    pub fn server_url(&self) -> &ServerUrl {
        &self.server_url
    }
}
