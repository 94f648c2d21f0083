//! What the network reached on the test images.

use formats::evaluation::{CalibrationBin, ClassMeasures, Evaluation, Measures, NoiseAccuracy};
use maud::{Markup, html};

use super::{
    super::{
        axis::{Axis, Scale},
        chart::{Curve, Tone, chart},
        words::{count, percent, percent_or_dash},
    },
    clean_and_noisy, figure,
};

/// The curve of accuracy over noise, with its numbers.
pub(super) fn by_noise(points: &[NoiseAccuracy]) -> anyhow::Result<Markup> {
    let most = points.last().map_or(1.0, |point| point.amplitude);
    let amplitudes = Axis::new("amplitude of the noise", (0.0, most), Scale::Linear, |amplitude| {
        format!("{amplitude:.2}")
    });
    let curve = Curve {
        tone: Tone::Noisy,
        points: points
            .iter()
            .map(|point| (point.amplitude, point.accuracy.fraction()))
            .collect(),
        has_dots: true,
    };
    let in_words: Vec<String> = points
        .iter()
        .map(|point| {
            format!(
                "{} at amplitude {}",
                percent(point.accuracy.fraction()),
                point.amplitude
            )
        })
        .collect();
    let svg = chart(&amplitudes, &shares(), &[curve])?;
    let n_images = points.first().map_or(0, |point| point.accuracy.total);
    Ok(html! {
        p {
            "A random number from 0 up to the amplitude is added to every pixel; a white pixel is 1. Measured on "
            (count(n_images)) " test images, the same at each amplitude."
        }
        div.charts {
            (figure("Accuracy by amplitude", &in_words.join(", "), svg, &html! {}))
            table {
                caption { "The same in numbers" }
                thead { tr { th scope="col" { "Amplitude" } th scope="col" { "Accuracy" } } }
                tbody {
                    @for point in points {
                        tr { th scope="row" { (format!("{:.2}", point.amplitude)) } td { (percent(point.accuracy.fraction())) } }
                    }
                }
            }
        }
    })
}

/// How often an answer of some probability is right.
pub(super) fn calibration(evaluation: &Evaluation) -> anyhow::Result<Markup> {
    let filled = |measures: &Measures| -> Vec<CalibrationBin> {
        measures
            .calibration
            .bins
            .iter()
            .copied()
            .filter(|bin| bin.accuracy.total > 0)
            .collect()
    };
    let curve = |tone, measures| Curve {
        tone,
        points: filled(measures)
            .iter()
            .map(|bin| (bin.probability_mean, bin.accuracy.fraction()))
            .collect(),
        has_dots: true,
    };
    let ideal = Curve {
        tone: Tone::Neutral,
        points: vec![(0.0, 0.0), (1.0, 1.0)],
        has_dots: false,
    };
    let probabilities = Axis::new("probability of the answer", (0.0, 1.0), Scale::Linear, in_percent);
    let curves = [
        ideal,
        curve(Tone::Clean, &evaluation.clean),
        curve(Tone::Noisy, &evaluation.noisy),
    ];
    let svg = chart(&probabilities, &shares(), &curves)?;
    let errors = [&evaluation.clean, &evaluation.noisy].map(|measures| percent(measures.calibration.error));
    let in_words = format!(
        "The expected calibration error is {} on clean and {} on noisy images.",
        errors[0], errors[1]
    );
    Ok(html! {
        p {
            "Whether answers are right as often as their probability says: on the grey diagonal they are, below it the network "
            "is too sure of itself. " (in_words) " (Guo et al. 2017, arXiv:1706.04599, "
            (evaluation.clean.calibration.bins.len()) " bins.)"
        }
        div.charts {
            (figure("Share of right answers by probability", &in_words, svg, &clean_and_noisy()))
            table {
                caption { "Images by the probability of their answer" }
                thead { tr {
                    th scope="col" { "Up to" } th scope="col" { "Clean" } th scope="col" { "right" } th scope="col" { "Noisy" } th scope="col" { "right" }
                } }
                tbody {
                    @for (clean, noisy) in evaluation.clean.calibration.bins.iter().zip(&evaluation.noisy.calibration.bins) {
                        tr {
                            th scope="row" { (in_percent(clean.probability_max)) }
                            @for bin in [clean, noisy] {
                                td { (count(bin.accuracy.total)) }
                                td { @if bin.accuracy.total > 0 { (in_percent(bin.accuracy.fraction())) } @else { "–" } }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// Precision and recall of every class.
pub(super) fn classes(evaluation: &Evaluation) -> Markup {
    html! {
        p { "Precision: which part of the answers with this class is right. Recall: which part of the images of this class is recognised." }
        div.wide {
            table.bars {
                thead {
                    tr { th rowspan="2" scope="col" { "Class" } th rowspan="2" scope="col" { "Images" } th colspan="2" scope="colgroup" { "Clean" } th colspan="2" scope="colgroup" { "Noisy" } }
                    tr { @for _ in 0..2 { th scope="col" { "precision" } th scope="col" { "recall" } } }
                }
                tbody {
                    @for (class, (clean, noisy)) in evaluation.clean.classes.iter().zip(&evaluation.noisy.classes).enumerate() {
                        tr {
                            th scope="row" { (class) }
                            td { (count(clean.images)) }
                            (bars("clean", clean)) (bars("noisy", noisy))
                        }
                    }
                }
            }
        }
    }
}

fn bars(tone: &str, class: &ClassMeasures) -> Markup {
    html! {
        @for share in [class.precision, class.recall] {
            td class={ "bar " (tone) } style={ "--part:" (share.unwrap_or(0.0)) } { (percent_or_dash(share)) }
        }
    }
}

/// Which class was taken for which, as two heat maps.
pub(super) fn confusion(evaluation: &Evaluation) -> Markup {
    html! {
        p { "Each row holds the images of one class, each column those that got the same answer; right answers are on the diagonal." }
        div.charts { (heat_map("Clean test images", &evaluation.clean)) (heat_map("Noisy test images", &evaluation.noisy)) }
    }
}

fn heat_map(caption: &str, measures: &Measures) -> Markup {
    let confusion = &measures.confusion;
    let cells = |class: usize| {
        confusion[class]
            .iter()
            .enumerate()
            .map(move |(answer, &count)| (class == answer, count))
    };
    let errors = (0..confusion.len())
        .flat_map(cells)
        .filter(|&(is_right, _)| !is_right)
        .map(|(_, count)| count);
    let errors_max = errors.max().unwrap_or(0).max(1);
    html! {
        div.wide {
            table.heat {
                caption { (caption) }
                thead { tr { th scope="col" { abbr title="class by row, answer by column" { "class" } } @for answer in 0..confusion.len() { th scope="col" { (answer) } } } }
                tbody {
                    @for (class, measured) in measures.classes.iter().enumerate() {
                        tr {
                            th scope="row" { (class) }
                            @for (is_right, count) in cells(class) { (cell(is_right, count, if is_right { measured.images } else { errors_max })) }
                        }
                    }
                }
            }
        }
    }
}

/// One count. Right answers and errors are coloured apart: beside a thousand right answers, ten errors would be nothing.
fn cell(is_right: bool, count: u64, most: u64) -> Markup {
    // The root shows the few as well as the many.
    let part = (count as f64 / most.max(1) as f64).sqrt();
    let kind = match (is_right, count) {
        (_, 0) => "none",
        (true, _) => "right",
        (false, _) => "wrong",
    };
    html! {
        td class=(kind) style={ "--part:" (format!("{part:.3}")) } { (count) }
    }
}

fn shares() -> Axis {
    Axis::new("", (0.0, 1.0), Scale::Linear, in_percent)
}

fn in_percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}
