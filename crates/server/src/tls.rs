//! TLS: the certificate, and what changes when it does.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use thiserror::Error;
use tokio::{task, time::sleep};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tracing::{info, warn};

use crate::TlsFiles;

/// The certificate that new connections see.
pub(crate) struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
}

/// The certificate and its key as they lie in their files.
#[derive(PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The server cannot prove who it is.
#[derive(Debug, Error)]
pub(crate) enum TlsError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is no certificate in PEM form", path.display())]
    Certificate {
        path: PathBuf,
        source: rustls::pki_types::pem::Error,
    },
    #[error("`{}` is no private key in PEM form", path.display())]
    Key {
        path: PathBuf,
        source: rustls::pki_types::pem::Error,
    },
    #[error("certificate `{}` and key `{}` cannot be used together", certificate.display(), key.display())]
    Pair {
        certificate: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let config = Pem::read(&files)?.config(&files)?;
        Ok(Self {
            files,
            config: RwLock::new(config),
        })
    }

    /// Who greets the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.config
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .into()
    }

    /// Looks at the files every so often, for ever. What cannot be used leaves the certificate of before in force.
    pub(crate) async fn follow(self: Arc<Self>, every: Duration) {
        let mut before = None;
        loop {
            let files = self.files.clone();
            let read = task::spawn_blocking(move || Pem::read(&files)).await;
            match read {
                Ok(Ok(pem)) if before.as_ref() != Some(&pem) => {
                    let is_first = before.is_none();
                    match pem.config(&self.files) {
                        Ok(config) => {
                            *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
                            if !is_first {
                                info!("the certificate `{}` was read again", self.files.certificate.display());
                            }
                        }
                        Err(error) => warn!(
                            error = &error as &dyn Error,
                            "the certificate of before stays in force: {error}"
                        ),
                    }
                    before = Some(pem);
                }
                // A file that is being replaced may be missing for a moment.
                _ => {}
            }
            sleep(every).await;
        }
    }
}

impl Pem {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            fs::read(path).map_err(|source| TlsError::Read {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
        })
    }

    fn config(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| TlsError::Certificate {
                path: files.certificate.clone(),
                source,
            })?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|source| TlsError::Key {
            path: files.key.clone(),
            source,
        })?;
        let pair = |source| TlsError::Pair {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
            source,
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(pair)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
