//! The journal: every event under a number of its own, in the order in which they were written.

use std::{num::NonZeroU32, sync::Arc};

use formats::journal::JournalEvent;
use registry::RegistryError;

use crate::place::Place;

fn event(number: usize) -> JournalEvent {
    JournalEvent::AggregationAdded([("name".to_owned(), number.into())].into_iter().collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_concurrent_event_has_an_entry_that_a_restart_finds() {
    for place in Place::both() {
        let open = || Arc::new(place.open());
        let instances = [open(), open()];
        let tasks: Vec<_> = (0..24)
            .map(|number| {
                let registry = instances[number % 2].clone();
                tokio::spawn(async move { registry.record(event(number)).await.unwrap() })
            })
            .collect();
        let mut written = Vec::new();
        for task in tasks {
            written.push(task.await.unwrap());
        }
        written.sort_by_key(|entry| entry.number);
        let numbers: Vec<u32> = written.iter().map(|entry| entry.number.get()).collect();
        assert_eq!(numbers, (1..=24).collect::<Vec<_>>());
        for registry in [open(), instances[0].clone()] {
            assert_eq!(registry.journal().await.unwrap(), written);
        }
    }
}

#[tokio::test]
async fn a_journal_that_nobody_wrote_to_is_empty() {
    for place in Place::both() {
        let registry = place.open();
        assert_eq!(registry.journal().await.unwrap(), []);
    }
}

#[tokio::test]
async fn an_entry_that_was_moved_is_named() {
    for place in Place::both() {
        let open = || place.open();
        let entry = open().record(JournalEvent::AggregationRemoved(NonZeroU32::MIN)).await;
        assert_eq!(entry.unwrap().number, NonZeroU32::MIN);
        place.write("journal/00000002.json", place.read("journal/00000001.json"));
        place.remove("journal/00000001.json");
        let error = open().journal().await.unwrap_err();
        assert!(matches!(&error, RegistryError::Corrupt { object, .. } if object == "journal/00000002.json"));
    }
}
