//! The folder in which files wait until they are whole, inside the data folder so that a rename can publish them.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::watch::{Event, Watch};
use super::{DownloadError, FolderError};
use crate::files::{KnownFile, sha256};
use crate::idx;

/// Name of the staging folder. What a killed download left there is taken up by the next one.
const FOLDER: &str = ".staging";

/// How often a download looks whether the other one in the same folder has ended.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// The staging folder of one download, which alone works in it.
pub(crate) struct Staging {
    data_dir: PathBuf,
    folder: PathBuf,
    /// What is there already comes from the same source, and makes room for what the source has now.
    replaces: bool,
    /// The data folder itself, locked; the lock ends with the process, however that ends.
    _lock: File,
}

impl Staging {
    /// Makes the folders that are missing and waits until no other download works in `data_dir`.
    ///
    /// With `replaces`, whole files make room for others of their name; without, they are set aside.
    pub(crate) fn open(data_dir: &Path, replaces: bool, watch: &mut Watch<'_>) -> Result<Self, DownloadError> {
        let folder = data_dir.join(FOLDER);
        fs::create_dir_all(data_dir).map_err(|source| FolderError::new("make", data_dir, source))?;
        let lock = lock(data_dir, watch)?;
        fs::create_dir_all(&folder).map_err(|source| FolderError::new("make", &folder, source))?;
        Ok(Self {
            data_dir: data_dir.to_owned(),
            folder,
            replaces,
            _lock: lock,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where what arrives from `url` is kept until it is whole; the same place in every run.
    pub(crate) fn part(&self, url: &str) -> PathBuf {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.folder
            .join(format!("{name}.{}.part", &sha256(url.as_bytes())[..8]))
    }

    /// Puts `content` under its final name, all at once; a reader sees what was there before or the whole new file.
    pub(crate) fn publish(
        &self,
        known: &KnownFile,
        content: &[u8],
        watch: &mut Watch<'_>,
    ) -> Result<(), DownloadError> {
        let (waiting, published) = (self.folder.join(known.name), self.data_dir.join(known.name));
        write_synced(&waiting, content).map_err(|source| FolderError::new("write", &waiting, source))?;
        if !self.replaces {
            self.keep_foreign(known, watch)?;
        }
        fs::rename(&waiting, &published)
            .and_then(|()| File::open(&self.data_dir)?.sync_all())
            .map_err(|source| FolderError::new("write", &published, source))?;
        Ok(())
    }

    /// A whole IDX file under one of our names may be someone's only copy of another data set: it is never replaced,
    /// but set aside. What is not even whole is just replaced.
    fn keep_foreign(&self, known: &KnownFile, watch: &mut Watch<'_>) -> Result<(), DownloadError> {
        let path = self.data_dir.join(known.name);
        let found = match fs::read(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(FolderError::new("read", &path, source).into()),
        };
        if idx::check(&found).is_err() {
            return Ok(());
        }
        let aside = self
            .data_dir
            .join(format!("{}.other-{}", known.name, &sha256(&found)[..8]));
        fs::rename(&path, &aside).map_err(|source| FolderError::new("rename", &path, source))?;
        watch.report(Event::Note(&format!(
            "`{}` was a whole file, but not MNIST's: it is now `{}`",
            path.display(),
            aside.display()
        )));
        Ok(())
    }

    /// Removes the folder with what is left in it; for the end of a download that has all its files.
    pub(crate) fn remove(self) -> Result<(), DownloadError> {
        fs::remove_dir_all(&self.folder).map_err(|source| FolderError::new("remove", &self.folder, source).into())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Succeeds only if the folder is empty: parts that a failed download leaves are taken up by the next one.
        let _ = fs::remove_dir(&self.folder);
    }
}

fn lock(data_dir: &Path, watch: &mut Watch<'_>) -> Result<File, DownloadError> {
    let folder = File::open(data_dir).map_err(|source| FolderError::new("open", data_dir, source))?;
    let mut is_waiting = false;
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(TryLockError::WouldBlock) if is_waiting => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!("waiting for another download into `{}`", data_dir.display());
                watch.report(Event::Note(&text));
                is_waiting = true;
            }
            // Some network file systems cannot lock a folder. Then two downloads at once may waste each other's
            // work, but a file is still published only when its digest is right.
            Err(TryLockError::Error(_)) => return Ok(folder),
        }
        watch.pause(LOCK_PAUSE)?;
    }
}

/// Writes a whole file, or leaves none: what a full disk took of it would only keep the disk full.
fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let result = File::create(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    if result.is_err() {
        let _ = fs::remove_file(path);
    }
    result
}
