//! A file of secrets that may change while the server runs.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use thiserror::Error;
use tokio::task;

use formats::{
    digest::Digest,
    secrets::{self, SecretsError},
};

/// A file of secrets, and those of them that are in force.
pub(super) struct SecretsFile {
    path: PathBuf,
    in_force: RwLock<Arc<InForce>>,
}

/// What stood in the file when it was read last and was sound.
struct InForce {
    /// Of the whole file.
    digest: Digest,
    /// The name of each holder by the digest of the secret. What is compared is the digest: how long that takes says
    /// something of the digest of what was presented, which its sender knows, and nothing of the secret.
    holders: HashMap<Digest, String>,
}

/// A file of secrets cannot be used.
#[derive(Debug, Error)]
#[error("cannot use the secrets in `{}`", path.display())]
pub struct SecretsFileError {
    path: PathBuf,
    #[source]
    source: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("more than {SIZE_MAX_BYTES} bytes")]
    Size,
    #[error(transparent)]
    Content(#[from] SecretsError),
}

/// Room for some ten thousand keys.
const SIZE_MAX_BYTES: u64 = 1 << 20;

impl SecretsFile {
    pub(super) fn open(path: &Path) -> Result<Self, SecretsFileError> {
        let in_force = read(path, None)?.expect("a file that was never read has changed");
        Ok(Self {
            path: path.to_owned(),
            in_force: RwLock::new(Arc::new(in_force)),
        })
    }

    /// Reads the file again, and says whether it has changed.
    pub(super) async fn refresh(&self) -> Result<bool, SecretsFileError> {
        let (path, known) = (self.path.clone(), self.in_force().digest);
        let read = task::spawn_blocking(move || read(&path, Some(known)));
        let Some(found) = read
            .await
            .expect("reading a file gives an error where it cannot be read")?
        else {
            return Ok(false);
        };
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
        Ok(true)
    }

    /// Who holds this secret, if it is one.
    pub(super) fn holder(&self, presented: &[u8]) -> Option<String> {
        self.in_force().holders.get(&Digest::of(presented)).cloned()
    }

    /// How many are in force.
    pub(super) fn len(&self) -> usize {
        self.in_force().holders.len()
    }

    fn in_force(&self) -> Arc<InForce> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What stands in the file, unless its digest is `known`.
fn read(path: &Path, known: Option<Digest>) -> Result<Option<InForce>, SecretsFileError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(SIZE_MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > SIZE_MAX_BYTES {
            return Err(Problem::Size);
        }
        let digest = Digest::of(&bytes);
        if known == Some(digest) {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        let secrets = secrets::parse(&text)?.into_iter().map(|secret| {
            let holder = secret.name().map_or("nobody by name", |name| name.as_str());
            (Digest::of(secret.reveal().as_bytes()), holder.to_owned())
        });
        let holders = secrets.collect();
        Ok(Some(InForce { digest, holders }))
    };
    read().map_err(|source| SecretsFileError {
        path: path.to_owned(),
        source,
    })
}
