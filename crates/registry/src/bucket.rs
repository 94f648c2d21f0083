//! A registry in a bucket that speaks S3: who keeps it, who we are there, and the store that comes of it.

mod answer;
mod transport;
mod trouble;

use std::{fmt, fs, path::PathBuf, sync::Arc, time::Duration};

use formats::bucket::{BucketUrl, Endpoint};
use object_store::{BackoffConfig, ObjectStore, RetryConfig, aws::AmazonS3Builder, prefix::PrefixStore};

use crate::RegistryError;

pub use trouble::{BucketError, Trouble};

use transport::Transport;

/// A bucket, and how it is reached.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Which one, and what is ours in it.
    pub url: BucketUrl,
    /// Who keeps it; without, Amazon in that region.
    pub endpoint: Option<Endpoint>,
    /// Where it is kept. Signatures name it, so it must be right with every keeper.
    pub region: String,
    /// Who we are there.
    pub credentials: Credentials,
    /// Whom to believe that they are the endpoint, in PEM form; without, the public authorities.
    pub certificates: Option<PathBuf>,
}

/// Who somebody is at a bucket. Nothing prints the secrets.
#[derive(Clone)]
pub struct Credentials {
    /// The name of the key.
    pub key_id: String,
    /// The key itself.
    pub secret_key: String,
    /// What comes with a key that lives for hours only.
    pub session_token: Option<String>,
}

/// How often a body is asked for that breaks off: from where it did, as long as it is the same object.
const BODY_RETRIES: usize = 2;

impl Bucket {
    /// The store. Nothing is asked of the bucket yet, so a server starts while it is away.
    pub(crate) fn store(&self) -> Result<Arc<dyn ObjectStore>, RegistryError> {
        let cannot_open = |source| RegistryError::Open {
            location: self.url.to_string(),
            source,
        };
        let certificates = self.certificates.as_ref().map(|path| {
            fs::read(path).map_err(|source| RegistryError::Certificates {
                file: path.display().to_string(),
                source: source.into(),
            })
        });
        let transport = Transport::new(self, certificates.transpose()?.as_deref())?;
        let Credentials {
            key_id,
            secret_key,
            session_token,
        } = &self.credentials;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(self.url.bucket())
            .with_region(&self.region)
            .with_access_key_id(key_id)
            .with_secret_access_key(secret_key)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: transport::PAUSE_FIRST,
                    max_backoff: Duration::from_secs(1),
                    base: 2.0,
                },
                max_retries: BODY_RETRIES,
                retry_timeout: transport::PATIENCE,
            })
            .with_http_connector(transport);
        if let Some(token) = session_token {
            builder = builder.with_token(token);
        }
        builder = match &self.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint.to_string()),
            None => builder.with_virtual_hosted_style_request(!self.is_in_path()),
        };
        let store = builder.build().map_err(|error| cannot_open(error.into()))?;
        Ok(match self.url.prefix() {
            "" => Arc::new(store),
            prefix => Arc::new(PrefixStore::new(store, prefix)),
        })
    }

    /// Whether the bucket stands in the path of an address: with Amazon it stands in the name of the host, but for names
    /// with dots, which fit no certificate of theirs.
    fn is_in_path(&self) -> bool {
        self.endpoint.is_some() || self.url.bucket().contains('.')
    }

    /// Who is asked, for messages.
    fn keeper(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => endpoint.to_string(),
            None => format!("S3 in {}", self.region),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
