//! What a training leaves for the programs that use it.

use anyhow::Context;
use formats::{artifact::TrainingSummary, evaluation::Evaluation, signature::Signature};
use model::{Artifact, Network};

use crate::{images::Images, settings::TrainingSettings};

/// The name under which the model is called, as in the original.
const SIGNATURE: &str = "predict";

/// How the network was trained, on `device` and in `steps`, and what it reached.
pub(crate) fn training_summary(
    training: &TrainingSettings,
    device: &str,
    steps: u32,
    final_loss: f64,
    evaluation: &Evaluation,
) -> TrainingSummary {
    TrainingSummary {
        engine: device.to_owned(),
        steps,
        batch_size: training.batch_size.get(),
        learning_rate: training.learning_rate,
        schedule: training.schedule.as_str().to_owned(),
        seed: training.seed,
        recipe: Some(training.effective_recipe()),
        // Six decimal places say enough, and are read back from JSON exactly.
        final_loss: (final_loss * 1e6).round() / 1e6,
        clean: evaluation.clean.accuracy,
        noisy: evaluation.noisy.accuracy,
    }
}

/// The bytes of the artifact, which were read back as a server would.
///
/// # Errors
///
/// Where the sizes of the images are beyond what an artifact may hold.
pub(crate) fn artifact_bytes(network: Network, training: TrainingSummary, images: &Images) -> anyhow::Result<Vec<u8>> {
    let (rows, columns) = images.train.image_size();
    let signature = Signature::classifier(
        SIGNATURE.parse()?,
        u32::try_from(rows)?,
        u32::try_from(columns)?,
        u32::try_from(images.n_classes)?,
    );
    let artifact = Artifact::new(network, signature, training, images.profile())?;
    let bytes = artifact.encode()?;
    // What no server would load must not leave the trainer.
    Artifact::read(&bytes).context("the artifact cannot be read back")?;
    Ok(bytes)
}
