//! The part of the command line that says who may do what.

use std::path::PathBuf;

use clap::Args;

use crate::AccessSettings;

/// Who may manage, and who may ask.
#[derive(Debug, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessArgs {
    /// File of tokens, one a line, of which `/api` takes one as `authorization: Bearer …`. Without it `/api` is open at
    /// a loopback address, and not offered at another
    #[arg(long, env = "MANAGEMENT_TOKEN_FILE", value_name = "FILE")]
    pub management_token_file: Option<PathBuf>,

    /// File of keys, one `key` or `name:key` a line, of which predictions take one as `authorization: Bearer …` or
    /// `x-api-key: …`. Without it everybody may ask
    #[arg(long, env = "API_KEYS_FILE", value_name = "FILE")]
    pub api_keys_file: Option<PathBuf>,

    /// Leave out the header `x-model-version`, which tells clients which version answered
    #[arg(long, env = "HIDE_MODEL_VERSION")]
    pub hide_model_version: bool,
}

impl AccessArgs {
    /// Where the secrets are.
    pub(crate) fn settings(self) -> AccessSettings {
        AccessSettings {
            management_token_file: self.management_token_file,
            api_keys_file: self.api_keys_file,
            hide_model_version: self.hide_model_version,
        }
    }
}
