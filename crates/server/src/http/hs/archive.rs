//! Archives: a tar in gzip, as Python writes it (PAX or GNU), unpacked into memory and never into a folder.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};
use thiserror::Error;

/// Most files and folders of an archive: a SavedModel has a dozen.
const ENTRIES_MAX: usize = 10_000;

/// What an archive holds, by path with slashes.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Why an archive is refused.
#[derive(Debug, Error)]
pub(crate) enum ArchiveError {
    #[error("it is not a whole tar archive in gzip")]
    Broken(#[source] io::Error),
    #[error("it unpacks to more than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
    #[error("it has more than {ENTRIES_MAX} entries")]
    TooMany,
    #[error("its entry `{0}` leads out of the archive, or is no path")]
    Path(String),
    #[error("its entry `{path}` is a {kind}, expected files and folders only")]
    Kind { path: String, kind: &'static str },
    #[error("its entry `{0}` is there twice")]
    Twice(String),
}

/// The files in `packed`; folders are not told, because a path tells them.
///
/// Errors: more than `max_bytes` as they come out, padding and headers included, so that a bomb is let go off no further; a
/// path that leaves the archive; anything that is neither file nor folder.
pub(super) fn unpack(packed: &[u8], max_bytes: usize) -> Result<Files, ArchiveError> {
    let unpacked = Bounded {
        reader: MultiGzDecoder::new(packed),
        left: max_bytes as u64,
    };
    let mut archive = Archive::new(unpacked);
    let wrong = |error: io::Error| match error.kind() {
        io::ErrorKind::FileTooLarge => ArchiveError::TooLarge { max_bytes },
        _ => ArchiveError::Broken(error),
    };
    let mut files = Files::new();
    for (index, entry) in archive.entries().map_err(wrong)?.enumerate() {
        if index == ENTRIES_MAX {
            return Err(ArchiveError::TooMany);
        }
        let mut entry = entry.map_err(wrong)?;
        let Some(path) = file(&entry)? else { continue };
        // What an entry announces is not reserved: it may announce anything.
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(wrong)?;
        if (bytes.len() as u64) < entry.size() {
            return Err(ArchiveError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        if files.insert(path.clone(), bytes).is_some() {
            return Err(ArchiveError::Twice(path));
        }
    }
    // The checksum of the whole stands at its end.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(wrong)?;
    Ok(files)
}

/// The path of an entry that is a file; `None` for a folder, and for what only describes other entries.
fn file<R: Read>(entry: &Entry<'_, R>) -> Result<Option<String>, ArchiveError> {
    let raw = entry.path_bytes();
    let text = String::from_utf8_lossy(&raw);
    let shown = || text.chars().take(200).collect::<String>();
    let is_folder = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => false,
        EntryType::Directory => true,
        EntryType::XGlobalHeader => return Ok(None),
        other => {
            let (path, kind) = (shown(), kind(other));
            return Err(ArchiveError::Kind { path, kind });
        }
    };
    let mut parts = Vec::new();
    for part in text.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            "" | ".." => return Err(ArchiveError::Path(shown())),
            part if part.contains(['\0', '\\', char::REPLACEMENT_CHARACTER]) => {
                return Err(ArchiveError::Path(shown()));
            }
            part => parts.push(part),
        }
    }
    match is_folder {
        true => Ok(None),
        false if parts.is_empty() => Err(ArchiveError::Path(shown())),
        false => Ok(Some(parts.join("/"))),
    }
}

/// What people call an entry that is neither file nor folder.
fn kind(entry_type: EntryType) -> &'static str {
    match entry_type {
        EntryType::Symlink => "symbolic link",
        EntryType::Link => "hard link",
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "pipe",
        _ => "thing of another kind",
    }
}

/// Gives an error, and not an end, where more than is left would come.
struct Bounded<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.reader.read(buffer)?;
        let left = self.left.checked_sub(n_bytes as u64);
        self.left = left.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(n_bytes)
    }
}

#[cfg(test)]
mod tests;
