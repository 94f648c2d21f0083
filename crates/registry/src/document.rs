//! JSON documents: written as people can read them, read only in the format this program knows.

use std::time::SystemTime;

use bytes::Bytes;
use object_store::path::Path;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Corruption, RegistryError,
    objects::{Creation, Objects},
};

/// Far above any document of ours, which describes one version or one application in a few kilobytes; a stray file
/// with a document's name must not fill the memory.
const SIZE_MAX_BYTES: u64 = 1 << 20;

/// What every document has, whatever its format.
#[derive(Deserialize)]
struct Envelope {
    format: u32,
}

impl Objects {
    /// Creates the document, or finds that its name is taken.
    pub(crate) async fn create_document<T: Serialize>(
        &self,
        path: &Path,
        document: &T,
    ) -> Result<Creation, RegistryError> {
        let mut bytes = serde_json::to_vec_pretty(document)
            .expect("our documents have text keys and no type that JSON cannot hold");
        bytes.push(b'\n');
        let size_bytes = bytes.len() as u64;
        if size_bytes > SIZE_MAX_BYTES {
            return Err(RegistryError::TooLarge {
                size_bytes,
                size_max_bytes: SIZE_MAX_BYTES,
            });
        }
        self.create(path, bytes.into()).await
    }

    /// Reads the document, or `None` where there is none. `place` says what a document describes: an error if it is
    /// not `expected`, because then somebody moved it here.
    pub(crate) async fn read_document<T: DeserializeOwned>(
        &self,
        path: &Path,
        format: u32,
        expected: &str,
        place: fn(&T) -> String,
    ) -> Result<Option<T>, RegistryError> {
        let Some(bytes) = self.read(path, SIZE_MAX_BYTES).await? else {
            return Ok(None);
        };
        let corrupt = |reason| RegistryError::Corrupt {
            object: path.to_string(),
            reason,
        };
        let document = parse(&bytes, format).map_err(corrupt)?;
        let found = place(&document);
        if found == expected {
            Ok(Some(document))
        } else {
            Err(corrupt(Corruption::Misplaced(found)))
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &Bytes, expected: u32) -> Result<T, Corruption> {
    // The format comes first: fields of a later format are not mistakes, they are just not ours to read.
    let Envelope { format: found } = serde_json::from_slice(bytes)?;
    if found == expected {
        Ok(serde_json::from_slice(bytes)?)
    } else {
        Err(Corruption::Format { found, expected })
    }
}

/// The time that documents carry, in milliseconds since 1970-01-01 UTC. Nothing is decided by it.
pub(crate) fn now_ms() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    since_epoch.as_millis().try_into().unwrap_or(u64::MAX)
}
