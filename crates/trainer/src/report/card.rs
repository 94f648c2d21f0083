//! The model card: what the model is, what it reaches, and where it fails, in Markdown.
//!
//! Its sections follow Mitchell et al., "Model Cards for Model Reporting" (arXiv:1810.03993), as far as digits have them.

use formats::{
    artifact::TrainingSummary,
    evaluation::{ClassMeasures, Evaluation},
    hyperparameters::{BATCH_SIZE, Hyperparameter, LEARNING_RATE, OVERRIDES, RECIPE, SCHEDULE, STEPS},
    report::TrainingReport,
};

use super::{
    layers,
    words::{self, count, of_images, percent, seconds, which_images_decided},
};

/// The card of the model that this report is about.
pub(super) fn card(report: &TrainingReport) -> String {
    let images = &report.images;
    let size = format!("{} × {}", images.rows, images.columns);
    let sections = [
        format!("# Model card: mnist {}", report.artifact.short()),
        format!(
            "## What it is\n\nA classifier of grey images of {size} pixels into {} classes: a fully connected network of {} units \
             with ReLU between its layers. Pixels are 0 (black) to 1 (white). The artifact is `mnist.safetensors`, SHA-256\n`{}`.",
            report.evaluation.clean.classes.len(),
            layers(report),
            report.artifact
        ),
        format!(
            "## Data\n\n{} images to train on, {} held out of them, and {} test images, of {size} pixels each.\n\n{}",
            count(images.train),
            count(images.held_out),
            count(images.test),
            which_images_decided(report)
        ),
        format!(
            "## Settings\n\n{}",
            table(["setting", "value"], &words::settings(&report.training))
        ),
        format!("## Results\n\n{}", results(&report.evaluation)),
        format!("## Limits of use\n\n{}", limits(&report.evaluation)),
        format!(
            "## How to reproduce\n\n```sh\n{}\n```\n\nThe same program on the same images gives the same artifact, byte by byte. The steps took {} with {} \
             threads ({}).",
            command(&report.training),
            seconds(report.training_ms),
            report.machine.threads,
            report.machine.processor.as_deref().unwrap_or(&report.machine.system)
        ),
    ];
    sections.join("\n\n") + "\n"
}

fn results(evaluation: &Evaluation) -> String {
    let (clean, noisy) = (&evaluation.clean, &evaluation.noisy);
    let mut rows = vec![
        ("clean test images".to_owned(), of_images(clean.accuracy)),
        (
            "the same with noise of amplitude 1".to_owned(),
            of_images(noisy.accuracy),
        ),
    ];
    rows.extend(evaluation.by_noise.iter().map(|point| {
        (
            format!("with noise of amplitude {:.2}, some images", point.amplitude),
            of_images(point.accuracy),
        )
    }));
    rows.push((
        "expected calibration error, clean".to_owned(),
        percent(clean.calibration.error),
    ));
    rows.push((
        "expected calibration error, noisy".to_owned(),
        percent(noisy.calibration.error),
    ));
    table(["measure", "value"], &rows)
}

fn limits(evaluation: &Evaluation) -> String {
    let (clean, noisy) = (&evaluation.clean, &evaluation.noisy);
    let mut limits = vec![
        "It always answers with one of its classes, and often with a high probability, also where an image shows none of them.".to_owned(),
        "It knows images such as those that it was trained on. Other strokes, scales, positions or colours were not measured.".to_owned(),
        format!(
            "Probabilities are off by {} on average on clean images, and by {} on noisy ones.",
            percent(clean.calibration.error),
            percent(noisy.calibration.error)
        ),
    ];
    if let Some((class, recall)) = weakest(&clean.classes) {
        limits.insert(
            2,
            format!(
                "It recognises class {class} least often: {} of its clean test images.",
                percent(recall)
            ),
        );
    }
    if let Some(strongest) = evaluation.by_noise.last() {
        limits.push(format!(
            "With noise of amplitude {:.2} it is right on {} of the images. Stronger noise was not measured.",
            strongest.amplitude,
            percent(strongest.accuracy.fraction())
        ));
    }
    limits
        .iter()
        .map(|limit| format!("- {limit}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The class with the lowest recall.
fn weakest(classes: &[ClassMeasures]) -> Option<(usize, f64)> {
    let recalls = classes
        .iter()
        .enumerate()
        .filter_map(|(class, measures)| Some((class, measures.recall?)));
    recalls.min_by(|(_, one), (_, other)| one.total_cmp(other))
}

fn table(head: [&str; 2], rows: &[(String, String)]) -> String {
    let rows = rows
        .iter()
        .map(|(name, value)| format!("| {} | {} |", cell(name), cell(value)));
    let head = [format!("| {} | {} |", head[0], head[1]), "|---|---|".to_owned()];
    head.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// A text that ends no cell and no table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The command line of this training. What its recipe decided is left to the recipe.
pub(super) fn command(training: &TrainingSummary) -> String {
    let mut words = vec!["trainer".to_owned()];
    match &training.recipe {
        Some(recipe) => {
            words.extend([RECIPE.flag.to_owned(), recipe.name.clone()]);
            let overridden = |of: &&&Hyperparameter| recipe.overridden.iter().any(|key| key == of.key);
            for of in OVERRIDES.iter().filter(overridden) {
                words.extend([of.flag.to_owned(), value(training, of.key)]);
            }
        }
        // Before there were recipes, these four were all that could be told.
        None => {
            words.extend([RECIPE.flag.to_owned(), "tutorial".to_owned()]);
            for of in [STEPS, BATCH_SIZE, LEARNING_RATE, SCHEDULE] {
                words.extend([of.flag.to_owned(), value(training, of.key)]);
            }
        }
    }
    // `native`, or `burn wgpu` with the name of a graphics card behind it.
    let engine = training.engine.strip_prefix("burn ").unwrap_or(&training.engine);
    let device = engine.split([' ', ',', '(']).next().unwrap_or(engine);
    words.push(format!("--seed {} --device {device}", training.seed));
    words.join(" ")
}

/// What a hyperparameter was, by its key, wherever the summary keeps it.
fn value(training: &TrainingSummary, key: &str) -> String {
    let summary = serde_json::to_value(training).expect("a summary has text keys and finite numbers");
    let places = ["", "/recipe", "/recipe/augmentation"];
    let found = places
        .iter()
        .find_map(|place| summary.pointer(&format!("{place}/{key}")));
    found.map(words::in_words).unwrap_or_default()
}
