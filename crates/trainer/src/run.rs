//! One training run, in order.

use std::{
    num::NonZeroUsize,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use anyhow::Context;
use console::exit;
use formats::{
    digest::Digest,
    report::{TRAINING_REPORT_FORMAT, TrainingReport},
};
use mnist_data::{Augmenter, Batches};
use model::Network;
use tracing::{info, warn};

use crate::{
    announcement::announcement,
    artifact::{artifact_bytes, training_summary},
    checkpoints::{CheckpointWriter, Checkpoints},
    cli::train::TrainArgs,
    device::Device,
    evaluation::measure,
    gates::Gates,
    history::History,
    identity::identity,
    images::Images,
    initial::initial_network,
    interruption::interrupted,
    models_dir::ModelsDir,
    names::Names,
    report,
    settings::{Settings, TrainingSettings},
    summary::summary,
    training::{Diverged, Ending, Parts, Trained, Training, timetable::Timetable, watched::Watched},
};

/// What header and reports need at most beside the weights, for the question whether there is room for them.
const DOCUMENT_BYTES: usize = 1024 * 1024;

/// How a run ended that did not fail.
enum Conclusion {
    /// With what a person reads at the end.
    Done(String),
    /// With a model that is not good enough, and what a person reads about it.
    Rejected(String),
    /// By a signal, with what that leaves.
    Stopped(String),
}

/// What a run leaves, before it is written.
struct Results {
    artifact: Vec<u8>,
    report: TrainingReport,
    files: report::Rendered,
}

/// Loads the images, trains, evaluates, and writes artifact and report.
///
/// Ctrl-C or SIGTERM ends it between two steps with [`exit::INTERRUPTED`], and leaves a checkpoint with which the next run
/// goes on; a second one ends it at once.
///
/// # Errors
///
/// Whatever keeps it from its work; the artifact of an earlier run has not changed then.
pub(crate) fn run(args: TrainArgs) -> anyhow::Result<ExitCode> {
    let interrupted = interrupted()?;
    let (words, code) = match carry_out(args.settings()?, &interrupted)? {
        Conclusion::Done(summary) => (summary, exit::DONE),
        Conclusion::Rejected(words) => (words, exit::NO),
        Conclusion::Stopped(words) => (words, exit::INTERRUPTED),
    };
    console::say(&words);
    Ok(ExitCode::from(code))
}

/// The run itself.
fn carry_out(settings: Settings, interrupted: &AtomicBool) -> anyhow::Result<Conclusion> {
    let device = settings.training.device.open()?;
    let Some(images) = Images::load(&settings, interrupted)? else {
        return Ok(Conclusion::Stopped(
            "stopped before its beginning: nothing was written".to_owned(),
        ));
    };
    let batch_size =
        NonZeroUsize::try_from(settings.training.batch_size).context("a batch does not fit into memory")?;
    let batches = Batches::new(&images.train, batch_size, settings.training.seed)?;
    let settings = Settings {
        training: settings.limits.applied(settings.training, batches.n_per_epoch())?,
        ..settings
    };
    let training = &settings.training;
    let initial = initial_network(images.train.n_pixels(), images.n_classes, training.seed);
    let names = Names::new(settings.limits.smoke);
    let bytes_needed = size_of::<f32>() * initial.n_parameters() + DOCUMENT_BYTES;
    let models_dir = ModelsDir::open(&settings.models_dir, bytes_needed, &names.all())?;
    let parts = parts(&settings, &device, &images, batches, &initial)?;
    announce(training, &device, &images, &initial);

    let identity = identity(training, &settings.limits, &parts.timetable, &images, &initial);
    let checkpoints = Checkpoints::open(&models_dir, identity, settings.checkpoints.kept)?;
    if settings.checkpoints.fresh {
        checkpoints.clear();
    }
    let mut run = Training::start(parts, checkpoints.newest())?;
    let tensorboard = settings.outputs.tensorboard.as_deref();
    let mut history = History::start(&models_dir, names.history(), tensorboard, run.points())?;
    let ending = train(&settings, &mut run, &mut history, &checkpoints, interrupted)?;
    if ending == Ending::Interrupted {
        return Ok(stopped(&settings, &mut run, &checkpoints));
    }
    let steps_taken = run.step();
    let points = run.points().to_vec();
    let Trained {
        network,
        steps,
        final_loss,
        training_ms,
    } = run.finish().context("the trained network is of no use")?;
    let started = Instant::now();
    let evaluation = measure(&network, &images.test, training.seed).context("cannot evaluate the trained network")?;
    let evaluation_ms = milliseconds(started);
    // The signal may have come during the evaluation: a stopped run leaves nothing but its checkpoints.
    if interrupted.load(Ordering::Relaxed) {
        return Ok(Conclusion::Stopped(format!(
            "stopped after {steps_taken} steps, before anything was written"
        )));
    }

    let training = training_summary(training, device.name(), steps, final_loss, &evaluation);
    let bytes = artifact_bytes(network, training.clone(), &images)?;
    let report = TrainingReport {
        format: TRAINING_REPORT_FORMAT,
        artifact: Digest::of(&bytes),
        layers: widths(&initial)?,
        training,
        training_ms,
        evaluation_ms,
        images: images.counts(),
        machine: report::machine(settings.compute),
        history: points,
        evaluation,
    };
    let results = Results {
        files: report::render(&report, &images.test)?,
        report,
        artifact: bytes,
    };
    let conclusion = publish(&settings.gates, &models_dir, &names, &results)?;
    checkpoints.close();
    Ok(conclusion)
}

/// Writes artifact and report: in the place of earlier ones, or aside where the model misses a gate.
fn publish(gates: &Gates, models_dir: &ModelsDir, names: &Names, results: &Results) -> anyhow::Result<Conclusion> {
    let Results {
        artifact,
        report,
        files,
    } = results;
    let rejected = names.rejected();
    let misses = gates.misses(&report.training);
    let names = if misses.is_empty() { names } else { &rejected };
    let artifact_path = models_dir.write(names.artifact(), artifact)?;
    let page = files.write(models_dir, names)?;
    let summary = summary(report, &artifact_path, &page);
    if !misses.is_empty() {
        let misses = misses.join("\n  ");
        return Ok(Conclusion::Rejected(format!(
            "{summary}\nrejected and kept aside, where nothing reads it:\n  {misses}"
        )));
    }
    // What an earlier run kept aside must not be taken for a part of this one.
    for name in [rejected.artifact(), rejected.report(), rejected.page(), rejected.card()] {
        models_dir.remove(name)?;
    }
    Ok(Conclusion::Done(summary))
}

/// From input to output.
fn widths(network: &Network) -> anyhow::Result<Vec<u32>> {
    let widths = network.widths().into_iter().map(u32::try_from);
    widths.collect::<Result<_, _>>().context("a layer is too wide")
}

fn announce(training: &TrainingSettings, device: &Device, images: &Images, initial: &Network) {
    console::say(&announcement(training));
    info!(
        seed = training.seed,
        engine = device.name(),
        layers = ?initial.widths(),
        n_train_images = images.train.n_images(),
        n_test_images = images.test.n_images(),
        "training"
    );
}

/// Puts together what a training is made of.
fn parts<'a>(
    settings: &'a Settings,
    device: &Device,
    images: &'a Images,
    batches: Batches<'a>,
    initial: &Network,
) -> anyhow::Result<Parts<'a>> {
    let (training, compute) = (&settings.training, settings.compute);
    let seed = training.seed;
    Ok(Parts {
        augmenter: Augmenter::new(&images.train, training.augmentation, seed, compute.n_threads)?,
        engine: device.start_engine(&images.train, initial, training, compute),
        batches,
        settings: training,
        limits: &settings.limits,
        timetable: Timetable::new(
            training.steps.get(),
            settings.outputs.log_every,
            settings.checkpoints.every,
        ),
        watched: match &images.held_out {
            Some(held_out) => Watched::held_out(held_out, seed),
            None => Watched::test(&images.test, seed),
        },
    })
}

/// Takes the steps, with checkpoints written on the side.
fn train(
    settings: &Settings,
    run: &mut Training<'_>,
    history: &mut History,
    checkpoints: &Checkpoints,
    interrupted: &AtomicBool,
) -> anyhow::Result<Ending> {
    let is_kept = settings.checkpoints.every.is_some();
    let writer = is_kept.then(|| CheckpointWriter::start(checkpoints.clone()));
    let ending = run.run(history, writer.as_ref(), interrupted);
    if let Some(writer) = writer {
        writer.finish();
    }
    if let Err(error) = &ending
        && error.downcast_ref::<Diverged>().is_some()
    {
        // The same settings would lead there again, from every checkpoint.
        checkpoints.close();
    }
    ending
}

/// Leaves a checkpoint for the next run, where there shall be any.
fn stopped(settings: &Settings, run: &mut Training<'_>, checkpoints: &Checkpoints) -> Conclusion {
    let stopped = format!(
        "stopped before its end, after {} of {} steps",
        run.step(),
        settings.training.steps
    );
    if settings.checkpoints.every.is_none() {
        checkpoints.close();
        return Conclusion::Stopped(format!("{stopped}: nothing was written"));
    }
    let checkpoint = run.checkpoint(checkpoints.settings());
    match checkpoint.and_then(|checkpoint| checkpoints.write(&checkpoint)) {
        Ok(()) => Conclusion::Stopped(format!(
            "{stopped}; the same command goes on from there, `--fresh` begins anew"
        )),
        Err(error) => {
            warn!("cannot write a checkpoint: {error:#}");
            Conclusion::Stopped(format!(
                "{stopped}; the same command goes on from the checkpoint before, if there is one"
            ))
        }
    }
}

fn milliseconds(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
