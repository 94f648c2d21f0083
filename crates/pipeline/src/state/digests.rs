//! Digests of files, remembered as long as the files do not change: 55 MB of data and four programs are not read
//! again to find out that there is nothing to do.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::{File, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use formats::digest::{Digest, Digester};
use serde::{Deserialize, Serialize};

use crate::files;

/// A file that changed this recently may change again within one tick of the file system's clock, unseen.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// More entries than any plan has files; beyond it the memory starts anew.
const ENTRIES_MAX: usize = 200;

/// The digests of files, with a memory on disk.
#[derive(Debug)]
pub(crate) struct Digests {
    memory: PathBuf,
    entries: RefCell<BTreeMap<PathBuf, Entry>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    digest: Digest,
}

/// What tells one state of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// The time of the last change of content or properties; unlike the time of modification it cannot be set.
    changed_s: i64,
    changed_ns: i64,
}

impl Digests {
    /// Opens the memory in `file`; one that cannot be read is an empty one.
    pub(crate) fn open(file: PathBuf) -> Self {
        let entries = files::read_json(&file).ok().flatten().unwrap_or_default();
        Self {
            memory: file,
            entries: RefCell::new(entries),
        }
    }

    /// The digest of the file at `path`; nothing where there is no file.
    pub(crate) fn digest(&self, path: &Path) -> io::Result<Option<Digest>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let stamp = Stamp::of(&metadata);
        if let Some(entry) = self.entries.borrow().get(path).filter(|entry| entry.stamp == stamp) {
            return Ok(Some(entry.digest));
        }
        let digest = read(&mut file)?;
        if stamp.is_settled() && Stamp::of(&file.metadata()?) == stamp {
            self.remember(path, Entry { stamp, digest });
        }
        Ok(Some(digest))
    }

    fn remember(&self, path: &Path, entry: Entry) {
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(path.to_owned(), entry);
        // Without the memory the next run only takes longer.
        if let Err(error) = files::write_json(&self.memory, &*entries) {
            tracing::debug!("digests are not remembered: {error:#}");
        }
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed_s: metadata.ctime(),
            changed_ns: metadata.ctime_nsec(),
        }
    }

    fn is_settled(&self) -> bool {
        let changed = u64::try_from(self.changed_s).map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds + 1));
        changed.is_ok_and(|changed| {
            SystemTime::now()
                .duration_since(changed)
                .is_ok_and(|age| age >= SETTLED_AFTER)
        })
    }
}

fn read(file: &mut File) -> io::Result<Digest> {
    let mut digester = Digester::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            n_bytes => digester.update(&buffer[..n_bytes]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_is_seen_whether_it_is_remembered_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let digests = Digests::open(folder.path().join("digests.json"));
        let path = folder.path().join("file");
        assert_eq!(digests.digest(&path).unwrap(), None);
        for content in ["one", "two", "one and a half"] {
            fs::write(&path, content).unwrap();
            assert_eq!(digests.digest(&path).unwrap(), Some(Digest::of(content.as_bytes())));
        }
    }

    #[test]
    fn a_settled_file_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let memory = folder.path().join("digests.json");
        // A file of the toolchain that built this test has been there for longer than a second.
        let path = std::env::current_exe().unwrap();
        let stamp = Stamp::of(&fs::metadata(&path).unwrap());
        let digest = Digest::of(b"a digest that no reading would give");
        files::write_json(&memory, &BTreeMap::from([(&path, Entry { stamp, digest })])).unwrap();
        assert_eq!(Digests::open(memory).digest(&path).unwrap(), Some(digest));
    }

    #[test]
    fn a_file_that_was_just_written_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let memory = folder.path().join("digests.json");
        let path = folder.path().join("file");
        fs::write(&path, "fresh").unwrap();
        Digests::open(memory.clone()).digest(&path).unwrap();
        assert!(!memory.exists());
    }
}
