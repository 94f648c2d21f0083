use formats::checkpoint::{CHECKPOINT_FORMAT, CheckpointHeader};
use model::{Layer, TrainingState};
use tempfile::TempDir;

use super::*;

/// The checkpoints of a seed in a throw-away folder; three are kept.
fn checkpoints(temporary: &TempDir, seed: u64) -> Checkpoints {
    let models_dir = ModelsDir::open(temporary.path(), 0, &[]).unwrap();
    let settings = BTreeMap::from([("seed".to_owned(), seed.to_string())]);
    Checkpoints::open(&models_dir, settings, NonZeroU32::new(3).unwrap()).unwrap()
}

fn at(checkpoints: &Checkpoints, step: u32) -> Checkpoint {
    let layer = |n_inputs: usize, n_outputs: usize| Layer {
        weights: vec![step as f32; n_inputs * n_outputs],
        bias: vec![0.0; n_outputs],
    };
    let layers = || vec![layer(3, 2), layer(2, 2)];
    Checkpoint {
        header: CheckpointHeader {
            format: CHECKPOINT_FORMAT,
            settings: checkpoints.settings().clone(),
            layers: vec![3, 2, 2],
            step,
            elapsed_ms: 0,
            steps_ms: 0,
            points: Vec::new(),
            best: None,
        },
        state: TrainingState {
            weights: layers(),
            moment_1: layers(),
            moment_2: layers(),
        },
        losses: Vec::new(),
        best: None,
    }
}

fn newest_step(checkpoints: &Checkpoints) -> Option<u32> {
    checkpoints.newest().map(|checkpoint| checkpoint.header.step)
}

#[test]
fn the_newest_is_found_and_only_as_many_as_wanted_are_kept() {
    let temporary = tempfile::tempdir().unwrap();
    let checkpoints = checkpoints(&temporary, 1);
    assert_eq!(newest_step(&checkpoints), None);
    for step in [100, 900, 1000, 20_000] {
        checkpoints.write(&at(&checkpoints, step)).unwrap();
        assert_eq!(newest_step(&checkpoints), Some(step));
    }
    let names = checkpoints.own();
    assert_eq!(names.len(), 3);
    assert!(names[0].ends_with("-0000000900.safetensors"), "{names:?}");
}

#[test]
fn checkpoints_of_other_settings_are_neither_taken_nor_removed() {
    let temporary = tempfile::tempdir().unwrap();
    let others = checkpoints(&temporary, 2);
    others.write(&at(&others, 500)).unwrap();
    let own = checkpoints(&temporary, 1);
    assert_eq!(newest_step(&own), None);
    own.write(&at(&own, 100)).unwrap();
    own.close();
    assert_eq!(newest_step(&others), Some(500));
    others.close();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_damaged_checkpoint_is_passed_over_for_the_one_before() {
    let temporary = tempfile::tempdir().unwrap();
    let checkpoints = checkpoints(&temporary, 1);
    for step in [100, 200, 300] {
        checkpoints.write(&at(&checkpoints, step)).unwrap();
    }
    let path = |index: usize| checkpoints.folder.path().join(&checkpoints.own()[index]);
    let bytes = fs::read(path(2)).unwrap();
    fs::write(path(2), &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(newest_step(&checkpoints), Some(200));
    // One number altered.
    let mut bytes = fs::read(path(1)).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(path(1), bytes).unwrap();
    assert_eq!(newest_step(&checkpoints), Some(100));
    fs::write(path(0), b"").unwrap();
    assert_eq!(newest_step(&checkpoints), None);
}

#[test]
fn a_checkpoint_under_the_name_of_other_settings_is_not_taken() {
    let temporary = tempfile::tempdir().unwrap();
    let (own, others) = (checkpoints(&temporary, 1), checkpoints(&temporary, 2));
    others.write(&at(&others, 500)).unwrap();
    let renamed = others.own()[0].replace(&others.prefix, &own.prefix);
    fs::rename(
        others.folder.path().join(&others.own()[0]),
        own.folder.path().join(renamed),
    )
    .unwrap();
    assert_eq!(newest_step(&own), None);
}

#[test]
fn what_was_handed_to_the_writer_is_there_when_it_has_finished() {
    let temporary = tempfile::tempdir().unwrap();
    let checkpoints = checkpoints(&temporary, 1);
    let writer = CheckpointWriter::start(checkpoints.clone());
    writer.offer(at(&checkpoints, 100));
    writer.finish();
    assert_eq!(newest_step(&checkpoints), Some(100));
}

#[test]
fn a_checkpoint_that_cannot_be_written_stops_nobody() {
    let temporary = tempfile::tempdir().unwrap();
    let checkpoints = checkpoints(&temporary, 1);
    fs::remove_dir(checkpoints.folder.path()).unwrap();
    fs::write(checkpoints.folder.path(), b"in the way").unwrap();
    assert!(checkpoints.write(&at(&checkpoints, 100)).is_err());
    let writer = CheckpointWriter::start(checkpoints.clone());
    writer.offer(at(&checkpoints, 200));
    writer.finish();
    assert_eq!(newest_step(&checkpoints), None);
}
