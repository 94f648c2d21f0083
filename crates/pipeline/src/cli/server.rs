//! The part of the command line that says which server is meant, and what opens it.

use std::path::PathBuf;

use clap::Args;

use crate::{
    client::{ANSWER_MAX, Client},
    credentials,
    server_url::ServerUrl,
};

/// The variable behind `--token-file`.
pub(crate) const TOKEN_FILE: &str = "MANAGEMENT_TOKEN_FILE";
/// The variable behind `--api-keys-file`.
pub(crate) const API_KEYS_FILE: &str = "API_KEYS_FILE";

/// The server whose models and applications are managed.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Where the server answers
    #[arg(
        long,
        env = "HOST_ADDRESS",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub server: ServerUrl,

    /// File with the token that the server's management takes; the first one counts
    #[arg(long, env = TOKEN_FILE, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

impl ServerArgs {
    /// A client of that server.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let token = credentials::first(self.token_file.as_deref())?;
        Ok(Client::new(self.server.clone(), ANSWER_MAX).with_token(token))
    }
}
