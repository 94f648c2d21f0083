//! Numbers as people read them, on the page and in the model card.

use formats::{
    artifact::TrainingSummary,
    report::{Accuracy, TrainingReport},
};
use serde_json::Value;

/// `98.95 %`
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// `98.95 %`, or a dash where there is nothing to measure.
pub(super) fn percent_or_dash(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), percent)
}

/// `98.95 % (9,895 of 10,000)`
pub(super) fn of_images(accuracy: Accuracy) -> String {
    let (correct, total) = (count(accuracy.correct), count(accuracy.total));
    format!("{} ({correct} of {total})", percent(accuracy.fraction()))
}

/// `10,000`
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1.24 s`
pub(super) fn seconds(milliseconds: u64) -> String {
    format!("{:.2} s", milliseconds as f64 / 1000.0)
}

/// A number without the zeros that say nothing: `0.002`, `10000`, `1e-6`.
pub(super) fn plain(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-4 {
        return format!("{number:.0e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Everything that decided the weights, by name, whatever the summary holds.
pub(super) fn settings(training: &TrainingSummary) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let value = serde_json::to_value(training).expect("a summary has text keys and finite numbers");
    collect("", &value, &mut settings);
    // Results stand elsewhere.
    let is_result = |name: &str| {
        ["final loss", "clean", "noisy"]
            .iter()
            .any(|result| name.starts_with(result))
    };
    settings.retain(|(name, _)| !is_result(name));
    settings
}

fn collect(name: &str, value: &Value, settings: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = key.replace('_', " ");
                let inner = if name.is_empty() { key } else { format!("{name}: {key}") };
                collect(&inner, value, settings);
            }
        }
        Value::Array(items) if items.is_empty() => settings.push((name.to_owned(), "none".to_owned())),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(in_words).collect();
            settings.push((name.to_owned(), items.join(", ")));
        }
        Value::Null => {}
        value => settings.push((name.to_owned(), in_words(value))),
    }
}

/// A single value as it is written on a command line.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Which images decided what.
pub(super) fn which_images_decided(report: &TrainingReport) -> String {
    let watched = match report.images.held_out {
        0 => "The curves show the accuracy on some of the test images, which decided nothing.".to_owned(),
        held_out => format!(
            "{} of the training images were held out and never trained on; the curves show the accuracy on these.",
            count(held_out)
        ),
    };
    format!(
        "The values of the recipes were chosen on images held out from the training images, never on test images. {watched} The \
         {} test images measure the finished network and are used for nothing else.",
        count(report.images.test)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        assert_eq!(
            [0, 999, 1_000, 60_000, 1_234_567].map(count),
            ["0", "999", "1,000", "60,000", "1,234,567"]
        );
        assert_eq!(
            [0.0, 0.002, 10_000.0, 1e-6, 0.5].map(plain),
            ["0", "0.002", "10000", "1e-6", "0.5"]
        );
        assert_eq!(percent_or_dash(None), "–");
        assert_eq!(
            of_images(Accuracy {
                correct: 9_895,
                total: 10_000
            }),
            "98.95 % (9,895 of 10,000)"
        );
        assert_eq!(seconds(1_240), "1.24 s");
    }
}
