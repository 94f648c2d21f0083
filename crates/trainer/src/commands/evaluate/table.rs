//! An evaluation as a person reads it in a terminal.

use formats::{
    evaluation::{ClassMeasures, EvaluationReport, Measures},
    report::Accuracy,
};

/// Accuracies, classes, confusion of the clean images, and the curve over noise.
pub(super) fn table(report: &EvaluationReport) -> String {
    let evaluation = &report.evaluation;
    let (clean, noisy) = (&evaluation.clean, &evaluation.noisy);
    let mut lines = vec![
        format!("artifact           {}", report.artifact.short()),
        format!("clean accuracy     {}", of_images(clean.accuracy)),
        format!("noisy accuracy     {}", of_images(noisy.accuracy)),
        format!(
            "calibration error  {} clean, {} noisy",
            percent(Some(clean.calibration.error)),
            percent(Some(noisy.calibration.error))
        ),
        String::new(),
        "                    clean                noisy".to_owned(),
        "class    images     precision  recall    precision  recall".to_owned(),
    ];
    let classes = clean.classes.iter().zip(&noisy.classes).enumerate();
    lines.extend(classes.map(|(class, (clean, noisy))| {
        let shares = |of: &ClassMeasures| format!("{:>9}  {:>7}", percent(of.precision), percent(of.recall));
        format!(
            "{class:<5} {:>9}     {}   {}",
            clean.images,
            shares(clean),
            shares(noisy)
        )
    }));
    lines.push("\nclean images of a class (row) by answer (column)".to_owned());
    lines.extend(confusion(clean));
    lines.push("\nnoise amplitude    accuracy".to_owned());
    lines.extend(
        evaluation
            .by_noise
            .iter()
            .map(|point| format!("{:<15.2}    {}", point.amplitude, of_images(point.accuracy))),
    );
    lines.join("\n")
}

/// The matrix, its right answers on the diagonal; a dot stands for none.
fn confusion(measures: &Measures) -> Vec<String> {
    let widest = measures
        .confusion
        .iter()
        .flatten()
        .max()
        .map_or(1, |most| most.to_string().len());
    let width = widest.max(measures.confusion.len().to_string().len()) + 1;
    let header: String = (0..measures.confusion.len())
        .map(|answer| format!("{answer:>width$}"))
        .collect();
    let rows = measures.confusion.iter().enumerate().map(|(class, answers)| {
        let cells = answers.iter().map(|&count| match count {
            0 => format!("{:>width$}", "·"),
            count => format!("{count:>width$}"),
        });
        format!("{class:<5}{}", cells.collect::<String>())
    });
    std::iter::once(format!("     {header}")).chain(rows).collect()
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2} %", 100.0 * share))
}

fn of_images(accuracy: Accuracy) -> String {
    let Accuracy { correct, total } = accuracy;
    format!("{} ({correct} of {total})", percent(Some(accuracy.fraction())))
}
