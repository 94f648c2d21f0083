//! Writes the seeds that nobody can type: `cargo run -p fuzz-targets --example write_seeds`, after a change of a format.

use std::{collections::BTreeMap, fs, io, path::Path};

use flate2::{Compression, write::GzEncoder};

use formats::{
    artifact::{EffectiveAugmentation, EffectiveRecipe, TrainingSummary},
    checkpoint::{BestSoFar, CHECKPOINT_FORMAT, CheckpointHeader},
    digest::Digest,
    history::{HISTORY_FORMAT, TrainingPoint},
    profile::DataProfile,
    report::Accuracy,
    signature::Signature,
};
use mnist_data::FILES;
use model::{Artifact, Checkpoint, Layer, Network, TrainingState, contract::Contract, export};
use prost::Message;

const ACCURACY: Accuracy = Accuracy { correct: 9, total: 10 };

fn main() -> io::Result<()> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let write = |name: &str, bytes: &[u8]| fs::write(seeds.join(name), bytes);
    let whole = artifact(Some(recipe()));
    write("artifact/recipe", &whole)?;
    write("artifact/plain", &artifact(None))?;
    write("artifact/refused-cut", &whole[..whole.len() - 4])?;
    let whole = checkpoint(true);
    write("checkpoint/best", &whole)?;
    write("checkpoint/plain", &checkpoint(false))?;
    write("checkpoint/refused-cut", &whole[..whole.len() - 4])?;
    let package = package()?;
    write("archive/package", &package)?;
    write("archive/refused-cut", &package[..package.len() / 2])?;
    write("archive/file", &pack(&labels())?)?;
    let whole = graph();
    write("graph/chain", &whole)?;
    write("graph/refused-cut", &whole[..whole.len() / 2])?;
    let whole = contract("mnist", 4);
    write("contract/whole", &whole)?;
    write("contract/ids", &contract("mnist", 1))?;
    // Most changes of it are changes of the name, which may be anything.
    write("contract/named", &contract(&"mnist ".repeat(100), 4))?;
    write("contract/refused-cut", &whole[..whole.len() - 4])
}

/// The graph of the plain artifact.
fn graph() -> Vec<u8> {
    let bytes = artifact(None);
    let artifact = Artifact::read(&bytes).expect("it was just written");
    let files = export::saved_model(&artifact, &Digest::of(&bytes)).into_iter();
    let mut graphs = files.filter(|file| file.path == "saved_model.pb");
    graphs.next().expect("an export has a graph").bytes
}

/// The contract of a classifier with its first outputs.
fn contract(model_name: &str, n_outputs: usize) -> Vec<u8> {
    let mut signature = Signature::classifier("predict".parse().expect("it is made of letters"), 28, 28, 10);
    signature.outputs.truncate(n_outputs);
    Contract::of(model_name, [&signature]).encode_to_vec()
}

fn layers(widths: &[usize]) -> Vec<Layer> {
    let layer = |pair: &[usize]| Layer {
        weights: (0..pair[0] * pair[1]).map(|index| (index as f32 - 2.5) / 3.0).collect(),
        bias: vec![-0.1; pair[1]],
    };
    widths.windows(2).map(layer).collect()
}

fn artifact(recipe: Option<EffectiveRecipe>) -> Vec<u8> {
    let training = TrainingSummary {
        engine: "native".to_owned(),
        steps: 100,
        batch_size: 128,
        learning_rate: 0.01,
        schedule: "constant".to_owned(),
        seed: 7,
        recipe,
        final_loss: 0.125,
        clean: ACCURACY,
        noisy: ACCURACY,
    };
    let profile = DataProfile {
        n_images: 3,
        class_counts: vec![1, 2],
        pixel_histogram: vec![4, 8],
        pixel_mean: 0.13,
        pixel_std: 0.31,
        ink_histogram: vec![3, 0],
        ink_std: 0.02,
        mean_image: vec![0.25; 4],
    };
    let signature = Signature::classifier("predict".parse().expect("it is made of letters"), 2, 2, 2);
    let network = Network::new(layers(&[4, 3, 2])).expect("the layers fit");
    let artifact = Artifact::new(network, signature, training, profile).expect("the parts fit");
    artifact.encode().expect("it is small")
}

fn recipe() -> EffectiveRecipe {
    EffectiveRecipe {
        name: "default".to_owned(),
        overridden: vec!["steps".to_owned()],
        warm_up_share: 0.05,
        weight_decay: 0.05,
        epsilon: 0.001,
        label_smoothing: 0.0,
        augmentation: EffectiveAugmentation {
            shift_share: 0.8,
            shift_pixels: 1,
            affine_share: 0.0,
            rotation: 10.0,
            scale: 0.1,
            shear: 0.1,
            elastic_share: 0.0,
            elastic_pixels: 1.5,
            elastic_smoothness: 4.0,
            noise_share: 0.2,
            noise_amplitude: 1.0,
        },
    }
}

fn checkpoint(with_best: bool) -> Vec<u8> {
    let widths = [2, 3, 2];
    let point = TrainingPoint {
        format: HISTORY_FORMAT,
        step: 1000,
        epoch: 3,
        loss: 0.125,
        learning_rate: 0.01,
        steps_per_second: 9_876.5,
        clean: Some(ACCURACY),
        noisy: None,
        elapsed_ms: 250,
    };
    let best = BestSoFar {
        step: 900,
        n_correct: 99,
        n_looks_since: 2,
    };
    let checkpoint = Checkpoint {
        header: CheckpointHeader {
            format: CHECKPOINT_FORMAT,
            settings: BTreeMap::from([("seed".to_owned(), "1".to_owned())]),
            layers: widths.map(|width| width as u32).to_vec(),
            step: 1000,
            elapsed_ms: 250,
            steps_ms: 200,
            points: vec![point],
            best: with_best.then_some(best),
        },
        state: TrainingState {
            weights: layers(&widths),
            moment_1: layers(&widths),
            moment_2: layers(&widths),
        },
        losses: vec![0.5, 0.25],
        best: with_best.then(|| layers(&widths)),
    };
    checkpoint.encode().expect("it has a JSON form")
}

/// An IDX file of three labels.
fn labels() -> Vec<u8> {
    [&[0, 0, 8, 1, 0, 0, 0, 3][..], &[7, 8, 9]].concat()
}

fn package() -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for known in FILES {
        let mut header = tar::Header::new_gnu();
        header.set_size(labels().len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("package/data/{}", known.name), &labels()[..])?;
    }
    pack(&archive.into_inner()?)
}

fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    io::Write::write_all(&mut encoder, bytes)?;
    encoder.finish()
}
