//! With what the run was carried out: settings, machine, times.

use formats::{artifact::TrainingSummary, report::TrainingReport};
use maud::{Markup, html};

use super::super::words::{self, count, plain, seconds};

/// Everything that decided the weights.
pub(super) fn settings(training: &TrainingSummary) -> Markup {
    html! {
        p { "The same settings on the same images give the same artifact, byte by byte." }
        (list(&words::settings(training)))
    }
}

/// Where the run took place and how long its parts took.
pub(super) fn machine(report: &TrainingReport) -> Markup {
    let machine = &report.machine;
    let images = &report.images;
    let named = |name: &str, value: String| (name.to_owned(), value);
    let mut rows = Vec::new();
    rows.extend(machine.processor.clone().map(|processor| named("processor", processor)));
    rows.extend([
        named("cores", count(machine.cores)),
        named("threads", count(machine.threads)),
        named("instruction set", machine.instruction_set.clone()),
        named("system", machine.system.clone()),
        named("training images", count(images.train)),
        named("held-out images", count(images.held_out)),
        named("test images", count(images.test)),
        named("image size", format!("{} × {}", images.rows, images.columns)),
        named("final loss", plain(report.training.final_loss)),
        named("training", seconds(report.training_ms)),
        named("evaluation", seconds(report.evaluation_ms)),
    ]);
    list(&rows)
}

fn list(rows: &[(String, String)]) -> Markup {
    html! {
        dl.settings { @for (name, value) in rows { div { dt { (name) } dd { (value) } } } }
    }
}
