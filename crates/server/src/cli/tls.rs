//! The part of the command line that makes the server speak TLS.

use std::path::PathBuf;

use clap::Args;

use crate::TlsFiles;

/// With what the server proves who it is.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Certificates in PEM form, the server's own first; with it, the server speaks TLS only. Read again when it changes
    #[arg(long, env = "TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,

    /// Private key of the certificate, in PEM form
    #[arg(long, env = "TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub tls_key: Option<PathBuf>,
}

impl TlsArgs {
    /// The files, where the server is to speak TLS.
    pub(crate) fn files(self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_certificate?,
            key: self.tls_key?,
        })
    }
}
