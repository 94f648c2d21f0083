use formats::digest::Digest;

use super::*;
use crate::decide::Key;

fn record(run: &Run, step: StepName) -> Record {
    Record {
        format: STATE_FORMAT,
        step,
        run: run.id.clone(),
        key: Key::default(),
        outputs: BTreeMap::from([("models/mnist.safetensors".to_owned(), Digest::of(b"artifact"))]),
        attempts: 1,
        started_at_ms: 1,
        finished_at_ms: 2,
    }
}

#[test]
fn a_run_that_has_not_finished_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::new(folder.path());
    let mut first = state.begin().unwrap();
    assert_eq!(state.begin().unwrap(), first);
    state.finish(&mut first).unwrap();
    let second = state.begin().unwrap();
    assert!(second.id > first.id, "{} is not behind {}", second.id, first.id);
}

#[test]
fn looking_makes_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::new(folder.path());
    assert!(state.runs().unwrap().is_empty());
    assert!(state.records().unwrap().is_empty());
    assert_eq!(state.delivering(), None);
    assert!(!state.folder().exists());
}

#[test]
fn the_newest_record_of_a_step_counts() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::new(folder.path());
    let mut newest = None;
    for _ in 0..3 {
        let mut run = state.begin().unwrap();
        state.keep(&record(&run, StepName::Train)).unwrap();
        state.finish(&mut run).unwrap();
        newest = Some(run.id);
    }
    let records = state.records().unwrap();
    assert_eq!(records.get(&StepName::Train).map(|record| &record.run), newest.as_ref());
    assert_eq!(records.len(), 1);
}

#[test]
fn a_record_that_cannot_be_read_counts_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::new(folder.path());
    let run = state.begin().unwrap();
    state.keep(&record(&run, StepName::Train)).unwrap();
    fs::write(state.record_document(&run.id, StepName::Train), "{\"format\": 1").unwrap();
    assert!(state.records().unwrap().is_empty());
}

#[test]
fn old_runs_go_but_not_the_one_with_the_newest_record_of_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::new(folder.path());
    let mut first = None;
    for index in 0..RUNS_MAX + 3 {
        let mut run = state.begin().unwrap();
        let step = if index == 0 {
            StepName::Download
        } else {
            StepName::Train
        };
        state.keep(&record(&run, step)).unwrap();
        state.finish(&mut run).unwrap();
        first.get_or_insert(run.id);
    }
    let runs = state.runs().unwrap();
    assert_eq!(runs.len(), RUNS_MAX + 1);
    assert_eq!(runs.first(), first.as_ref());
}

/// A task that was killed while it wrote its result left half of it beside the others for good.
#[test]
fn what_a_killed_task_was_writing_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::new(folder.path());
    let run = state.begin().unwrap();
    let results = state.folder.join("results");
    fs::create_dir_all(&results).unwrap();
    let halves = [
        results.join(".staged-a1b2c3"),
        state.run_folder(&run.id).join(".staged-d4e5f6"),
    ];
    let whole = results.join("published.json");
    for path in halves.iter().chain([&whole]) {
        fs::write(path, "{").unwrap();
    }
    state.begin().unwrap();
    assert!(halves.iter().all(|path| !path.exists()));
    assert!(whole.exists());
}
