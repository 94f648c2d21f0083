//! What arrives of a file in one attempt: written to its part, counted, and watched for its pace.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::FolderError;
use super::content::UNPACKED_BYTES_MAX;
use super::fetch::{FetchError, Setback};
use super::transfer::Head;
use super::watch::Event;
use crate::files::KnownFile;

/// A connection that brings fewer bytes than this within the stall time-out counts as stalled: single bytes now and
/// then would otherwise keep a download alive for ever.
const STALL_BYTES: u64 = 1024;

/// What has arrived of a file, and at what pace.
pub(super) struct Arrival<'a> {
    part: &'a Path,
    known: &'a KnownFile,
    stall_max: Duration,
    file: Option<File>,
    pub(super) n_bytes: u64,
    n_bytes_total: Option<u64>,
    /// When, and after how many bytes, it was last fast enough.
    paced: (Instant, u64),
}

impl<'a> Arrival<'a> {
    pub(super) fn new(part: &'a Path, known: &'a KnownFile, stall_max: Duration) -> Self {
        let paced = (Instant::now(), 0);
        Self {
            part,
            known,
            stall_max,
            file: None,
            n_bytes: 0,
            n_bytes_total: None,
            paced,
        }
    }

    /// Opens the part for what the answer announces: its rest, or all of it from the start.
    pub(super) fn begin(&mut self, head: &Head, start: u64) -> Result<(), Setback> {
        let is_rest = head.status == 206 && head.range_start == Some(start);
        if head.status == 416 || (head.status == 206 && !is_rest) {
            // The part is not the start of this file; without it the next attempt asks for everything.
            fs::remove_file(self.part).map_err(|source| FolderError::new("remove", self.part, source))?;
        }
        if head.status != 200 && !is_rest {
            return Err(FetchError::Status(head.status).into());
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(is_rest).truncate(!is_rest);
        self.file = Some(
            options
                .open(self.part)
                .map_err(|source| FolderError::new("write", self.part, source))?,
        );
        self.n_bytes = if is_rest { start } else { 0 };
        self.n_bytes_total = head.n_bytes.map(|n_bytes| n_bytes.saturating_add(self.n_bytes));
        self.paced = (Instant::now(), self.n_bytes);
        self.check_size(self.n_bytes_total.unwrap_or(0))
    }

    pub(super) fn take(&mut self, chunk: &[u8]) -> Result<(), Setback> {
        self.check_size(self.n_bytes + chunk.len() as u64)?;
        let file = self.file.as_mut().expect("a transfer sends its head before its chunks");
        file.write_all(chunk)
            .map_err(|source| FolderError::new("write", self.part, source))?;
        self.n_bytes += chunk.len() as u64;
        Ok(())
    }

    pub(super) fn end(&self) -> Result<(), Setback> {
        match self.n_bytes_total {
            Some(n_bytes_total) if self.n_bytes != n_bytes_total => Err(FetchError::CutOff {
                n_bytes: self.n_bytes,
                n_bytes_total,
            }
            .into()),
            _ => Ok(()),
        }
    }

    pub(super) fn event(&self) -> Event<'_> {
        Event::Arriving {
            file: self.known.name,
            n_bytes: self.n_bytes,
            n_bytes_total: self.n_bytes_total,
        }
    }

    fn check_size(&self, n_bytes: u64) -> Result<(), Setback> {
        if n_bytes > UNPACKED_BYTES_MAX {
            Err(FetchError::TooLarge(UNPACKED_BYTES_MAX).into())
        } else {
            Ok(())
        }
    }

    pub(super) fn check_pace(&mut self) -> Result<(), Setback> {
        let (when, n_bytes_then) = self.paced;
        if self.n_bytes >= n_bytes_then + STALL_BYTES {
            self.paced = (Instant::now(), self.n_bytes);
        } else if when.elapsed() > self.stall_max {
            return Err(FetchError::Stalled {
                n_bytes: self.n_bytes,
                stall_max: self.stall_max,
            }
            .into());
        }
        Ok(())
    }
}
