//! The report as one HTML page that needs nothing beside itself.

mod course;
mod errors;
mod results;
mod run;

use formats::report::{Accuracy, TrainingReport};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use mnist_data::Dataset;

use super::words::{count, percent, seconds, which_images_decided};

/// Everything about how the page looks; written into the page.
const STYLE: &str = include_str!("page/style.css");
/// A page of ours asks nobody for anything, and a browser sees to it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page about a run, with images out of `test`, on which it was measured.
///
/// # Errors
///
/// Where a chart cannot be drawn.
pub(super) fn page(report: &TrainingReport, test: &Dataset) -> anyhow::Result<String> {
    let evaluation = &report.evaluation;
    let title = format!("Training report: {}", report.artifact.short());
    let sections = [
        ("course", "Course of the training", course::course(&report.history)?),
        ("noise", "Accuracy by noise", results::by_noise(&evaluation.by_noise)?),
        ("calibration", "Calibration", results::calibration(evaluation)?),
        ("classes", "Precision and recall", results::classes(evaluation)),
        ("confusion", "Confusion", results::confusion(evaluation)),
        ("errors", "Worst errors", errors::errors(&evaluation.worst_errors, test)),
        ("settings", "Settings", run::settings(&report.training)),
        ("machine", "Machine and times", run::machine(report)),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Without one, browsers ask for `/favicon.ico`.
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Training report" }
                    p.subject { "Artifact " code { (report.artifact.short()) } ", " (layers_in_words(report)) }
                    (tiles(report))
                    p { (which_images_decided(report)) }
                    nav aria-label="Sections" {
                        @for (id, heading, _) in &sections { a href={ "#" (id) } { (heading) } " " }
                    }
                }
                main {
                    @for (id, heading, content) in &sections {
                        section id=(id) aria-labelledby={ (id) "-heading" } {
                            h2 id={ (id) "-heading" } { (heading) }
                            (content)
                        }
                    }
                }
                footer { p { "The same numbers are in " code { "mnist.report.json" } "; a summary for readers of the model is in " code { "mnist.card.md" } "." } }
            }
        }
    };
    Ok(page.into_string())
}

fn layers_in_words(report: &TrainingReport) -> String {
    format!(
        "a network of {} units, trained by {}",
        super::layers(report),
        report.training.engine
    )
}

/// The figures that most readers come for.
fn tiles(report: &TrainingReport) -> Markup {
    let evaluation = &report.evaluation;
    let steps_per_second = f64::from(report.training.steps) * 1000.0 / report.training_ms.max(1) as f64;
    let counted = |accuracy: Accuracy| format!("{} of {}", count(accuracy.correct), count(accuracy.total));
    let (clean, noisy) = (&evaluation.clean, &evaluation.noisy);
    let tiles = [
        (
            "Clean test images",
            percent(clean.accuracy.fraction()),
            counted(clean.accuracy),
        ),
        (
            "Noisy test images",
            percent(noisy.accuracy.fraction()),
            counted(noisy.accuracy),
        ),
        (
            "Calibration error",
            percent(clean.calibration.error),
            format!("{} with noise", percent(noisy.calibration.error)),
        ),
        (
            "Training time",
            seconds(report.training_ms),
            format!("{steps_per_second:.0} steps per second"),
        ),
    ];
    html! {
        dl.tiles {
            @for (name, figure, remark) in &tiles {
                div { dt { (name) } dd { strong { (figure) } span { (remark) } } }
            }
        }
    }
}

/// A chart with its heading, and its content in words for those who do not see it.
fn figure(heading: &str, in_words: &str, svg: String, legend: &Markup) -> Markup {
    html! {
        figure.chart {
            figcaption { strong { (heading) } (legend) }
            // The parts of a drawing mean nothing to a screen reader: it reads the words instead.
            div role="img" aria-label=(in_words) { (PreEscaped(svg)) }
        }
    }
}

/// Which curve is which.
fn clean_and_noisy() -> Markup {
    html! {
        span.legend { span.key.clean { "clean" } " " span.key.noisy { "noisy" } }
    }
}
