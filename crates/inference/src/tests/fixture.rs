//! Small models that always give the class they were made for, and a registry in a throw-away folder.

use std::{fs, path::Path};

use model::{Artifact, Layer, Network};
use registry::Registry;
use tempfile::TempDir;

use formats::{
    application::{ApplicationSpec, Stage, Variant},
    artifact::TrainingSummary,
    digest::Digest,
    name::{ApplicationName, ModelName, SignatureName},
    profile::DataProfile,
    report::Accuracy,
    signature::Signature,
    tensor::Tensor,
};

use crate::{Applications, InferenceError, Scratch};

/// The folder of a registry, which may be opened more than once.
pub(super) struct Store {
    pub(super) folder: TempDir,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(super) fn open(&self) -> Applications {
        Applications::new(Registry::open(self.folder.path().to_str().unwrap()).unwrap())
    }

    /// Damages the artifact that was published last.
    pub(super) fn damage_newest_artifact(&self, model: &str) {
        let folder = self.folder.path().join("models").join(model).join("artifacts");
        let artifacts = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let newest = artifacts.max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        damage(&newest.unwrap());
    }

    /// Damages the artifact of `mnist` that always answers `class`.
    pub(super) fn damage_artifact_of(&self, class: usize) {
        let digest = Digest::of(&artifact("predict", class).encode().unwrap());
        let path = format!("models/mnist/artifacts/{digest}.safetensors");
        damage(&self.folder.path().join(path));
    }
}

fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

/// A model of 2×2 pixels whose answer is always `class`; the pixels only add to every logit alike.
pub(super) fn artifact(signature: &str, class: usize) -> Artifact {
    let mut bias = vec![0.0; 10];
    bias[class] = 1.0;
    let network = Network::new(vec![Layer {
        weights: vec![2.0; 4 * 10],
        bias,
    }])
    .unwrap();
    let accuracy = Accuracy { correct: 0, total: 1 };
    let training = TrainingSummary {
        engine: "none".to_owned(),
        steps: 1,
        batch_size: 1,
        learning_rate: 0.01,
        schedule: "constant".to_owned(),
        seed: class as u64,
        recipe: None,
        final_loss: 0.0,
        clean: accuracy,
        noisy: accuracy,
    };
    let profile = DataProfile {
        n_images: 0,
        class_counts: vec![0; 10],
        pixel_histogram: vec![0],
        pixel_mean: 0.0,
        pixel_std: 0.0,
        mean_image: vec![0.0; 4],
        ink_std: 0.0,
        ink_histogram: vec![0],
    };
    Artifact::new(
        network,
        Signature::classifier(signature.parse().unwrap(), 2, 2, 10),
        training,
        profile,
    )
    .unwrap()
}

pub(super) fn name(text: &str) -> ApplicationName {
    text.parse().unwrap()
}

pub(super) fn signature(text: &str) -> SignatureName {
    text.parse().unwrap()
}

pub(super) async fn publish(applications: &Applications, class: usize) {
    let model: ModelName = "mnist".parse().unwrap();
    let bytes = artifact("predict", class).encode().unwrap();
    applications.publish(&model, bytes.into(), None).await.unwrap();
}

/// The form with stages: `shares` are versions with their weights.
pub(super) fn staged(name: &str, signature: Option<&str>, shares: &[(&str, u32)]) -> ApplicationSpec {
    let variants = shares
        .iter()
        .map(|&(model, weight)| Variant {
            model: model.parse().unwrap(),
            weight,
        })
        .collect();
    let stage = Stage {
        signature: signature.map(|text| text.parse().unwrap()),
        variants,
    };
    ApplicationSpec {
        name: name.parse().unwrap(),
        sticky: None,
        stages: vec![stage],
    }
}

pub(super) fn singular(name: &str, model: &str) -> ApplicationSpec {
    staged(name, None, &[(model, 100)])
}

/// Asks for one image, all its pixels `value`: the version that answers, and the class it gives.
pub(super) fn predict(
    applications: &Applications,
    application: &str,
    value: f32,
    ticket: u64,
) -> Result<(String, usize), InferenceError> {
    let route = applications.route(&name(application), &signature("predict"))?;
    let image = Tensor {
        shape: vec![1, 2, 2],
        values: vec![value; 4],
    };
    let mut scratch = Scratch::default();
    let prediction = route.predict(&image, ticket, &mut scratch)?;
    Ok((prediction.version().to_string(), prediction.outputs().class_ids[0]))
}

/// The version that answers, and the class it gives.
pub(super) fn answer(applications: &Applications, application: &str) -> (String, usize) {
    predict(applications, application, 0.5, 0).unwrap()
}
