//! Checkpoint files: what is accepted is written and read again as the same one.

use model::{Checkpoint, CheckpointError, TrainingState};

use crate::{Outcome, seal::reseal};

/// Where the digest stands in the metadata.
const DIGEST_KEY: &[u8] = br#""slipway-checkpoint-digest":""#;

/// A checkpoint file as it is, and with its digest made right.
pub fn checkpoint(bytes: &[u8]) -> Outcome {
    match Checkpoint::read(bytes) {
        Ok(checkpoint) => check(&checkpoint),
        Err(error @ CheckpointError::Altered { .. }) => {
            let outcome = Outcome::of(&error);
            let CheckpointError::Altered { found, .. } = error else {
                return outcome;
            };
            match reseal(bytes, DIGEST_KEY, &found.to_string()).map(|sealed| Checkpoint::read(&sealed)) {
                Some(Ok(checkpoint)) => check(&checkpoint),
                Some(Err(error)) => Outcome::of(&error),
                None => outcome,
            }
        }
        Err(error) => Outcome::of(&error),
    }
}

fn check(checkpoint: &Checkpoint) -> Outcome {
    let n_layers = checkpoint.header.layers.len() - 1;
    assert_eq!(checkpoint.state.weights.len(), n_layers);
    assert_eq!(checkpoint.best.is_some(), checkpoint.header.best.is_some());
    let written = checkpoint.encode().expect("what was read can be written");
    let again = Checkpoint::read(&written).expect("what was written can be read");
    assert_eq!(again.header, checkpoint.header);
    assert_eq!(bits(&again), bits(checkpoint));
    Outcome::Accepted
}

/// Every number: a moment may be NaN, which equals nothing.
fn bits(checkpoint: &Checkpoint) -> Vec<u32> {
    let TrainingState {
        weights,
        moment_1,
        moment_2,
    } = &checkpoint.state;
    let networks = [weights, moment_1, moment_2].into_iter().chain(&checkpoint.best);
    let values = networks
        .flatten()
        .flat_map(|layer| layer.weights.iter().chain(&layer.bias));
    values.chain(&checkpoint.losses).map(|value| value.to_bits()).collect()
}
