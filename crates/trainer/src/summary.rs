//! What a person reads at the end of a run.

use std::path::Path;

use formats::report::{Accuracy, TrainingReport};

/// Some lines on what came out and where it lies.
pub(crate) fn summary(report: &TrainingReport, artifact: &Path, report_file: &Path) -> String {
    let training = &report.training;
    let seconds = report.training_ms as f64 / 1000.0;
    let lines = [
        format!(
            "trained {} steps of {} images in {seconds:.1} s ({:.0} steps/s, {}, {} rate, seed {})",
            training.steps,
            training.batch_size,
            f64::from(training.steps) / seconds.max(0.001),
            training.engine,
            training.schedule,
            training.seed,
        ),
        format!("  final loss      {:.4}", training.final_loss),
        format!("  clean accuracy  {}", of_images(training.clean)),
        format!("  noisy accuracy  {}", of_images(training.noisy)),
        format!("  artifact        {} ({})", artifact.display(), report.artifact.short()),
        format!("  report          {}", report_file.display()),
    ];
    lines.join("\n")
}

fn of_images(accuracy: Accuracy) -> String {
    let Accuracy { correct, total } = accuracy;
    format!(
        "{:.2} % ({correct} of {total} test images)",
        100.0 * accuracy.fraction()
    )
}
