//! Artifacts and applications for the tests of this crate.

use bytes::Bytes;

use formats::{
    application::{ApplicationSpec, Stage, Variant},
    artifact::{ARTIFACT_FORMAT, ArtifactHeader, TrainingSummary},
    digest::Digest,
    name::{ApplicationName, ModelName},
    profile::DataProfile,
    report::Accuracy,
    signature::Signature,
    version::ModelVersion,
};
use registry::{Registry, RegistryError};

pub(crate) fn model(name: &str) -> ModelName {
    name.parse().unwrap()
}

pub(crate) fn version(text: &str) -> ModelVersion {
    text.parse().unwrap()
}

pub(crate) fn application(name: &str) -> ApplicationName {
    name.parse().unwrap()
}

/// The registry looks at no artifact's inside, so any bytes will do.
pub(crate) fn artifact(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) fn header() -> ArtifactHeader {
    let accuracy = Accuracy {
        correct: 97,
        total: 100,
    };
    ArtifactHeader {
        format: ARTIFACT_FORMAT,
        signature: Signature::classifier("predict".parse().unwrap(), 28, 28, 10),
        layers: vec![784, 256, 64, 10],
        tensors: Digest::of(b"tensors"),
        training: TrainingSummary {
            engine: "burn ndarray".to_owned(),
            steps: 10_000,
            batch_size: 128,
            learning_rate: 0.01,
            schedule: "constant".to_owned(),
            seed: 1,
            recipe: None,
            final_loss: 0.1,
            clean: accuracy,
            noisy: accuracy,
        },
        profile: DataProfile {
            n_images: 100,
            class_counts: vec![10; 10],
            pixel_histogram: vec![78_400],
            pixel_mean: 0.1307,
            pixel_std: 0.3081,
            mean_image: vec![0.1307; 784],
            ink_std: 0.04,
            ink_histogram: vec![100],
        },
    }
}

/// `name` with all its traffic on one version.
pub(crate) fn singular(name: &str, model: &str) -> ApplicationSpec {
    let variants = vec![Variant {
        model: version(model),
        weight: 100,
    }];
    ApplicationSpec {
        name: application(name),
        sticky: None,
        stages: vec![Stage {
            signature: None,
            variants,
        }],
    }
}

/// Publishes and returns the version as text.
pub(crate) async fn publish(registry: &Registry, name: &str, text: &str, key: Option<&str>) -> String {
    let published = registry
        .publish(&model(name), header(), artifact(text), key)
        .await
        .unwrap();
    published.version.model.to_string()
}

/// Checks that whoever reads, deploys or publishes `mnist` is told that the registry is not where it was.
pub(crate) async fn assert_vanished(registry: &Registry) {
    for outage in [
        registry.models().await.unwrap_err(),
        registry.artifact(&version("mnist:1")).await.unwrap_err(),
        registry.deploy(singular("app", "mnist:1")).await.unwrap_err(),
        registry
            .publish(&model("mnist"), header(), artifact("others"), None)
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(outage, RegistryError::Vanished), "{outage}");
    }
}
