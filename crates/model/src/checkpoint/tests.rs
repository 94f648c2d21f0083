use std::collections::BTreeMap;

use formats::{checkpoint::BestSoFar, history::TrainingPoint};
use proptest::prelude::*;

use super::*;

fn layers(first: f32) -> Vec<Layer> {
    let mut next = first;
    let mut numbers = |n| {
        (0..n)
            .map(|_| {
                next += 1.0;
                next
            })
            .collect()
    };
    vec![
        Layer {
            weights: numbers(6),
            bias: numbers(3),
        },
        Layer {
            weights: numbers(6),
            bias: numbers(2),
        },
    ]
}

fn checkpoint(with_best: bool) -> Checkpoint {
    Checkpoint {
        header: CheckpointHeader {
            format: CHECKPOINT_FORMAT,
            settings: BTreeMap::from([("seed".to_owned(), "1".to_owned())]),
            layers: vec![2, 3, 2],
            step: 1000,
            elapsed_ms: 250,
            steps_ms: 200,
            points: vec![TrainingPoint {
                format: formats::history::HISTORY_FORMAT,
                step: 1000,
                epoch: 3,
                loss: 0.123_456,
                learning_rate: 0.01,
                steps_per_second: 9_876.54,
                clean: None,
                noisy: None,
                elapsed_ms: 250,
            }],
            best: with_best.then_some(BestSoFar {
                step: 900,
                n_correct: 99,
                n_looks_since: 2,
            }),
        },
        state: TrainingState {
            weights: layers(0.0),
            moment_1: layers(100.0),
            moment_2: layers(150.0),
        },
        // Also a number below the smallest normal one comes back as it was.
        losses: vec![0.5, f32::from_bits(1)],
        best: with_best.then(|| layers(200.0)),
    }
}

#[test]
fn a_checkpoint_comes_back_as_it_was() {
    for with_best in [false, true] {
        let checkpoint = checkpoint(with_best);
        let bytes = checkpoint.encode().unwrap();
        assert_eq!(Checkpoint::read(&bytes).unwrap(), checkpoint);
    }
}

#[test]
fn a_checkpoint_of_another_format_is_refused_by_its_number() {
    let mut checkpoint = checkpoint(false);
    checkpoint.header.format = 7;
    let error = Checkpoint::read(&checkpoint.encode().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "its format number is 7, expected 1");
}

#[test]
fn an_artifact_is_no_checkpoint() {
    let metadata = HashMap::from([("slipway".to_owned(), "{}".to_owned())]);
    let bytes = safetensors::serialize(Vec::<(&str, Numbers<'_>)>::new(), Some(metadata)).unwrap();
    let error = Checkpoint::read(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it has no `slipway-checkpoint` entry in its metadata"
    );
}

#[test]
fn a_missing_tensor_is_named() {
    let mut checkpoint = checkpoint(false);
    checkpoint.state.moment_1.pop();
    let error = Checkpoint::read(&checkpoint.encode().unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "its tensor `moment_1.layers.1.weight` is missing, expected F32 [3, 2]"
    );
}

#[test]
fn a_changed_step_in_the_header_is_found() {
    let bytes = checkpoint(true).encode().unwrap();
    let text = String::from_utf8_lossy(&bytes);
    // The header is quoted inside of the JSON of the format.
    let place = text.find(r#"\"step\":1000"#).unwrap();
    let mut altered = bytes.clone();
    altered[place + 9] = b'2';
    let error = Checkpoint::read(&altered).unwrap_err();
    assert!(matches!(error, CheckpointError::Altered { .. }), "{error}");
}

proptest! {
    #[test]
    fn no_bit_can_change_and_no_byte_be_cut_off_unnoticed(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let checkpoint = checkpoint(true);
        let bytes = checkpoint.encode().unwrap();
        let place = place.index(bytes.len());
        prop_assert!(Checkpoint::read(&bytes[..place]).is_err());
        let mut altered = bytes.clone();
        altered[place] ^= 1 << bit;
        // A change that says the same (a space elsewhere in the file's own header, say) does no harm.
        if let Ok(read) = Checkpoint::read(&altered) {
            prop_assert_eq!(read, checkpoint);
        }
    }

    #[test]
    fn any_bytes_are_a_checkpoint_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Checkpoint::read(&bytes);
    }
}
