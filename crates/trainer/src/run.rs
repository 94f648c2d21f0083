//! One training run, in order.

use std::{
    num::NonZeroUsize,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use anyhow::Context;
use console::exit;
use formats::{
    artifact::TrainingSummary,
    digest::Digest,
    report::{REPORT_FORMAT, TrainingReport},
    signature::Signature,
};
use mnist_data::{Augmenter, Batches};
use model::{Artifact, Network};
use signal_hook::{consts::TERM_SIGNALS, flag};
use tracing::info;

use crate::{
    announcement::announcement,
    cli::train::TrainArgs,
    evaluation::{Scores, evaluate},
    images::Images,
    initial::initial_network,
    models_dir::ModelsDir,
    settings::{Settings, TrainingSettings},
    summary::summary,
    training::train,
};

/// The artifact in the models folder.
const ARTIFACT: &str = "mnist.safetensors";
/// Its report.
const REPORT: &str = "mnist.report.json";
/// The name under which the model is called, as in the original.
const SIGNATURE: &str = "predict";
/// What header and report need at most beside the weights, for the question whether there is room for them.
const DOCUMENT_BYTES: usize = 64 * 1024;

/// Loads the images, trains, evaluates, and writes artifact and report.
///
/// Ctrl-C or SIGTERM ends it between two steps with [`exit::INTERRUPTED`]; a second one ends it at once.
///
/// # Errors
///
/// Whatever keeps it from its work; no file of an earlier run has changed then.
pub(crate) fn run(args: TrainArgs) -> anyhow::Result<ExitCode> {
    let interrupted = interrupted()?;
    let (words, code) = match carry_out(&args.settings()?, &interrupted)? {
        Some(summary) => (summary, exit::DONE),
        None => (
            "stopped before its end: nothing was written".to_owned(),
            exit::INTERRUPTED,
        ),
    };
    console::say(&words);
    Ok(ExitCode::from(code))
}

/// A flag that is up once the program shall end.
fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        // In this order the first signal only raises the flag, and the second finds it up.
        flag::register_conditional_shutdown(signal, exit::INTERRUPTED.into(), Arc::clone(&interrupted))
            .and_then(|_| flag::register(signal, Arc::clone(&interrupted)))
            .context("cannot listen to Ctrl-C")?;
    }
    Ok(interrupted)
}

/// The run itself: the summary at its end, or nothing if it was `interrupted`.
fn carry_out(settings: &Settings, interrupted: &AtomicBool) -> anyhow::Result<Option<String>> {
    let training = &settings.training;
    let Some(images) = Images::load(settings, interrupted)? else {
        return Ok(None);
    };
    let batch_size = NonZeroUsize::try_from(training.batch_size).context("a batch does not fit into memory")?;
    let batches = Batches::new(&images.train, batch_size, training.seed)?;
    let n_threads = settings.compute.n_threads;
    let augmenter = Augmenter::new(&images.train, training.augmentation, training.seed, n_threads)?;
    let initial = initial_network(images.train.n_pixels(), images.n_classes, training.seed);
    let bytes_needed = size_of::<f32>() * initial.n_parameters() + DOCUMENT_BYTES;
    let models_dir = ModelsDir::open(&settings.models_dir, bytes_needed, &[ARTIFACT, REPORT])?;
    announce(training, &images, &initial);

    let Some(Trained {
        network,
        final_loss,
        training_ms,
    }) = trained(settings, batches, &augmenter, &initial, interrupted)?
    else {
        return Ok(None);
    };
    let started = Instant::now();
    let scores = evaluate(&network, &images.test, training.seed).context("cannot evaluate the trained network")?;
    let evaluation_ms = milliseconds(started);
    // The signal may have come during the evaluation: a stopped run leaves nothing.
    if interrupted.load(Ordering::Relaxed) {
        return Ok(None);
    }

    let training = training_summary(training, final_loss, scores);
    let bytes = artifact_bytes(network, training.clone(), &images)?;
    let report = TrainingReport {
        format: REPORT_FORMAT,
        artifact: Digest::of(&bytes),
        training,
        training_ms,
        evaluation_ms,
    };
    let mut report_text = serde_json::to_string_pretty(&report).context("cannot put the report into words")?;
    report_text.push('\n');
    let artifact_path = models_dir.write(ARTIFACT, &bytes)?;
    let report_path = models_dir.write(REPORT, report_text.as_bytes())?;
    Ok(Some(summary(&report, &artifact_path, &report_path)))
}

fn announce(training: &TrainingSettings, images: &Images, initial: &Network) {
    console::say(&announcement(training));
    info!(
        seed = training.seed,
        engine = training.device.engine_name(),
        layers = ?initial.widths(),
        n_train_images = images.train.n_images(),
        n_test_images = images.test.n_images(),
        "training"
    );
}

/// What the steps led to.
struct Trained {
    network: Network,
    final_loss: f64,
    /// Time of the steps alone, without the engine's preparations.
    training_ms: u64,
}

/// Takes all steps; nothing if it was `interrupted`.
fn trained(
    settings: &Settings,
    mut batches: Batches<'_>,
    augmenter: &Augmenter<'_>,
    initial: &Network,
    interrupted: &AtomicBool,
) -> anyhow::Result<Option<Trained>> {
    let training = &settings.training;
    let dataset = batches.dataset();
    let mut engine = (training.device).start_engine(dataset, initial, training, settings.compute);
    let started = Instant::now();
    let Some(final_loss) = train(engine.as_mut(), &mut batches, augmenter, training, interrupted)? else {
        return Ok(None);
    };
    let training_ms = milliseconds(started);
    let network = engine.network().context("the trained network is of no use")?;
    Ok(Some(Trained {
        network,
        final_loss,
        training_ms,
    }))
}

fn training_summary(training: &TrainingSettings, final_loss: f64, scores: Scores) -> TrainingSummary {
    TrainingSummary {
        engine: training.device.engine_name().to_owned(),
        steps: training.steps.get(),
        batch_size: training.batch_size.get(),
        learning_rate: training.learning_rate,
        schedule: training.schedule.as_str().to_owned(),
        seed: training.seed,
        recipe: Some(training.effective_recipe()),
        // Six decimal places say enough, and are read back from JSON exactly.
        final_loss: (final_loss * 1e6).round() / 1e6,
        clean: scores.clean,
        noisy: scores.noisy,
    }
}

fn artifact_bytes(network: Network, training: TrainingSummary, images: &Images) -> anyhow::Result<Vec<u8>> {
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

fn milliseconds(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
