//! The journal: what clients of the original leave beside models and applications, one numbered entry for each event.

use std::sync::{Arc, PoisonError};

use formats::journal::{JOURNAL_FORMAT, JournalEntry, JournalEvent};

use crate::{Registry, RegistryError, document, error, layout, objects::Creation};

impl Registry {
    /// Adds an event under the next number.
    ///
    /// Errors: an event that no document has room for; the store.
    pub async fn record(&self, event: JournalEvent) -> Result<Arc<JournalEntry>, RegistryError> {
        let folder = layout::journal();
        let mut newest = self.objects.numbers(&folder).await?.last().copied();
        let mut entry = JournalEntry {
            format: JOURNAL_FORMAT,
            number: error::after(newest, &folder)?,
            written_at_ms: document::now_ms(),
            event,
        };
        loop {
            let path = layout::numbered(&folder, entry.number);
            if self.objects.create_document(&path, &entry).await? == Creation::Done {
                return Ok(self.remember_entry(entry));
            }
            // Somebody else was a moment earlier.
            newest = Some(entry.number);
            entry.number = error::after(newest, &folder)?;
        }
    }

    /// All entries, oldest first.
    ///
    /// Errors: a damaged entry; the store.
    pub async fn journal(&self) -> Result<Vec<Arc<JournalEntry>>, RegistryError> {
        let folder = layout::journal();
        let mut entries = Vec::new();
        for number in self.objects.numbers(&folder).await? {
            let known = self
                .known_entries
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&number)
                .cloned();
            if let Some(entry) = known {
                entries.push(entry);
                continue;
            }
            let path = layout::numbered(&folder, number);
            let place = |entry: &JournalEntry| format!("entry {}", entry.number);
            let expected = format!("entry {number}");
            let entry = self
                .objects
                .read_document(&path, JOURNAL_FORMAT, &expected, place)
                .await?;
            entries.extend(entry.map(|entry| self.remember_entry(entry)));
        }
        Ok(entries)
    }

    fn remember_entry(&self, entry: JournalEntry) -> Arc<JournalEntry> {
        let mut known_entries = self.known_entries.lock().unwrap_or_else(PoisonError::into_inner);
        known_entries
            .entry(entry.number)
            .or_insert_with(|| Arc::new(entry))
            .clone()
    }
}
