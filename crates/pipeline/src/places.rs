//! Where places and addresses are: folders under one root.

use std::path::{Path, PathBuf};

use crate::{
    plan::{Location, Place, Value},
    server_url::ServerUrl,
    settings::Settings,
    state::State,
};

/// The places of a run on this machine. Paths are relative to the folder in which programs run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    data: PathBuf,
    models: PathBuf,
    registry: PathBuf,
    listen: String,
    server_url: ServerUrl,
    token_file: Option<PathBuf>,
    api_keys_file: Option<PathBuf>,
}

impl Places {
    /// The places that the settings name.
    pub fn new(settings: &Settings) -> Self {
        Self {
            data: settings.data.dir.clone(),
            models: settings.training.models_dir.clone(),
            registry: settings.server.registry.clone(),
            listen: settings.server.listen.to_string(),
            server_url: ServerUrl::of_listener(settings.server.listen),
            token_file: settings.server.management_token_file.clone(),
            api_keys_file: settings.server.api_keys_file.clone(),
        }
    }

    /// The path of a location.
    pub fn path(&self, location: &Location) -> PathBuf {
        let folder = match location.place {
            Place::Project => Path::new(""),
            Place::Data => &self.data,
            Place::Models => &self.models,
            Place::Registry => &self.registry,
            Place::Results => Path::new(State::RESULTS),
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
            Value::Switch => None,
            Value::Text(text) => Some(text.clone()),
            Value::Location(location) => Some(self.path(location).display().to_string()),
            Value::Run => Some(run.to_owned()),
            Value::Listen => Some(self.listen.clone()),
            Value::ServerUrl => Some(self.server_url.to_string()),
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
