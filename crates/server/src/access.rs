//! Who may manage models and applications, and who may ask for predictions.

mod origin;
mod secrets;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use axum::http::{HeaderMap, HeaderName, header};
use tokio::{
    join,
    time::{self, MissedTickBehavior},
};
use tracing::{debug, info, warn};

use crate::http::{ApiError, RouteClass};

use secrets::SecretsFile;
pub use secrets::SecretsFileError;

/// Who may manage, and who may ask.
pub struct Access {
    management: Management,
    /// The keys of clients; everybody may ask where there is no file of them.
    api_keys: Option<SecretsFile>,
    pub(crate) hides_version: bool,
}

/// Where the secrets are that open a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// Whoever manages has one of these tokens.
    pub management_token_file: Option<PathBuf>,
    /// Whoever asks has one of these keys.
    pub api_keys_file: Option<PathBuf>,
    /// Whoever asks is not told which version answered.
    pub hide_model_version: bool,
}

/// Who may manage.
enum Management {
    /// Every program of this machine: no other reaches the address.
    Open,
    /// Nobody: others reach the address, and nothing would tell them from the operator.
    Closed,
    /// Whoever has a token.
    Token(SecretsFile),
}

/// The header for clients that keep `authorization` for a proxy.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

impl Access {
    /// Everybody may do everything.
    pub fn open() -> Self {
        Self {
            management: Management::Open,
            api_keys: None,
            hides_version: false,
        }
    }

    /// What `settings` say for a server that listens at `address`.
    ///
    /// Errors: a file that cannot be read, or is none of secrets.
    pub fn new(settings: &AccessSettings, address: SocketAddr) -> Result<Self, SecretsFileError> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(SecretsFile::open).transpose();
        let management = match open(&settings.management_token_file)? {
            Some(tokens) => Management::Token(tokens),
            None if address.ip().is_loopback() => Management::Open,
            None => Management::Closed,
        };
        Ok(Self {
            management,
            api_keys: open(&settings.api_keys_file)?,
            hides_version: settings.hide_model_version,
        })
    }

    /// Reads the files again every `interval`, for ever, so that a secret comes into force, or out of it, without a
    /// restart.
    pub async fn follow(&self, interval: Duration) {
        let tokens = match &self.management {
            Management::Token(tokens) => Some(tokens),
            Management::Open | Management::Closed => None,
        };
        join!(
            follow(tokens, "management tokens", interval),
            follow(self.api_keys.as_ref(), "API keys", interval)
        );
    }

    /// Says in the log who may do what at `address`.
    pub(crate) fn announce(&self, address: SocketAddr) {
        match &self.management {
            Management::Open => {}
            Management::Closed => warn!(
                "management is not offered at {address}, which others reach: it takes --management-token-file to offer it"
            ),
            Management::Token(tokens) => info!("management takes one of {} tokens", tokens.len()),
        }
        if let Some(keys) = &self.api_keys {
            info!("predictions take one of {} API keys", keys.len());
        }
    }

    /// Whether who manages has to show a token.
    pub(crate) fn takes_tokens(&self) -> bool {
        matches!(self.management, Management::Token(_))
    }

    /// Whether who asks for predictions has to show a key.
    pub(crate) fn takes_api_keys(&self) -> bool {
        self.api_keys.is_some()
    }

    /// Lets a request pass, or turns it away before anything of it is read.
    pub(crate) fn admit(&self, class: RouteClass, headers: &HeaderMap) -> Result<(), ApiError> {
        match class {
            prediction if prediction.is_prediction() => self.admit_client(headers),
            management if management.is_management() => self.admit_manager(headers),
            _ => Ok(()),
        }
    }

    fn admit_manager(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match &self.management {
            Management::Open => match origin::foreign(headers) {
                None => Ok(()),
                Some(origin) => Err(ApiError::ForeignPage { origin }),
            },
            Management::Closed => Err(ApiError::NotOffered),
            Management::Token(tokens) => admit(tokens, bearer(headers)).ok_or(ApiError::NoToken),
        }
    }

    fn admit_client(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(keys) = &self.api_keys else { return Ok(()) };
        let key = headers.get(API_KEY).map(|value| value.as_bytes());
        admit(keys, key.or_else(|| bearer(headers))).ok_or(ApiError::NoApiKey)
    }
}

fn admit(secrets: &SecretsFile, presented: Option<&[u8]>) -> Option<()> {
    let holder = secrets.holder(presented?)?;
    debug!(holder, "admitted");
    Some(())
}

/// The token in `authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim_ascii())
}

async fn follow(file: Option<&SecretsFile>, what: &str, interval: Duration) {
    let Some(file) = file else { return };
    let mut ticks = time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_sound = true;
    loop {
        ticks.tick().await;
        match file.refresh().await {
            Ok(has_changed) => {
                if has_changed || !is_sound {
                    info!("{} {what} are in force", file.len());
                }
                is_sound = true;
            }
            // A file that is being written, or was put in place half, must not lock out everybody who was let in.
            Err(error) if is_sound => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "the {what} stay those of before"
                );
                is_sound = false;
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
