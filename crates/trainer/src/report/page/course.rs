//! How loss, step size and accuracy went over the steps.

use formats::{history::TrainingPoint, report::Accuracy};
use maud::{Markup, html};

use super::{
    super::{
        axis::{Axis, Scale},
        chart::{Curve, Tone, chart},
        words::{count, percent, plain},
    },
    clean_and_noisy, figure,
};

/// More points than a chart has room for would only make the page large.
const POINTS_MAX: usize = 400;

/// The charts over the steps.
pub(super) fn course(history: &[TrainingPoint]) -> anyhow::Result<Markup> {
    let (Some(first), Some(last)) = (history.first(), history.last()) else {
        return Ok(html! { p { "The course was not recorded." } });
    };
    let steps = Axis::new("step", (0.0, last.step.into()), Scale::Linear, |step| {
        count(step as u64)
    });
    let single = |value: fn(&TrainingPoint) -> f64| curve(Tone::Neutral, history, |point| Some(value(point)));

    let loss = single(|point| point.loss);
    let rate = single(|point| point.learning_rate);
    let speed = single(|point| point.steps_per_second);
    let losses = Axis::around("", loss.points.iter().map(|point| point.1), Scale::Logarithmic, plain);
    let rates = Axis::around("", rate.points.iter().map(|point| point.1), Scale::Linear, plain);
    let speeds = Axis::around("", speed.points.iter().map(|point| point.1), Scale::Linear, |speed| {
        count(speed as u64)
    });
    let loss_in_words = format!(
        "The loss goes from {} at step {} to {} at step {}.",
        plain(first.loss),
        first.step,
        plain(last.loss),
        last.step
    );
    let rate_in_words = format!(
        "The learning rate goes from {} at step {} to {} at step {}, its largest being {}.",
        plain(first.learning_rate),
        first.step,
        plain(last.learning_rate),
        last.step,
        plain(rates.range.1)
    );
    let speed_in_words = format!("At its fastest it takes {:.0} steps per second.", speeds.range.1);
    Ok(html! {
        div.charts {
            (figure("Loss, logarithmic scale", &loss_in_words, chart(&steps, &losses, &[loss])?, &html! {}))
            (figure("Learning rate", &rate_in_words, chart(&steps, &rates, &[rate])?, &html! {}))
            (accuracies(&steps, history)?)
            (figure("Steps per second", &speed_in_words, chart(&steps, &speeds, &[speed])?, &html! {}))
        }
    })
}

/// Both accuracies on the watched images, where somebody looked.
fn accuracies(steps: &Axis, history: &[TrainingPoint]) -> anyhow::Result<Markup> {
    let share = |accuracy: Option<Accuracy>| accuracy.map(Accuracy::fraction);
    let clean = curve(Tone::Clean, history, |point| share(point.clean));
    let noisy = curve(Tone::Noisy, history, |point| share(point.noisy));
    let both = || clean.points.iter().chain(&noisy.points).map(|point| point.1);
    if both().next().is_none() {
        return Ok(html! { p { "Nobody looked at the accuracy during the training." } });
    }
    let least = (both().fold(1.0, f64::min) * 20.0).floor() / 20.0;
    let shares = Axis::new("", (least.min(0.95), 1.0), Scale::Linear, |share| {
        format!("{:.0} %", 100.0 * share)
    });
    let end = |curve: &Curve| curve.points.last().map_or(0.0, |point| point.1);
    let in_words = format!(
        "At the end {} of the watched images are recognised clean, and {} with noise.",
        percent(end(&clean)),
        percent(end(&noisy))
    );
    let svg = chart(steps, &shares, &[clean, noisy])?;
    Ok(figure(
        "Accuracy on the watched images",
        &in_words,
        svg,
        &clean_and_noisy(),
    ))
}

/// The points at which there is a value; if there are too many, every n-th of them and the last one.
fn curve(tone: Tone, history: &[TrainingPoint], value: impl Fn(&TrainingPoint) -> Option<f64>) -> Curve {
    let all: Vec<(f64, f64)> = history
        .iter()
        .filter_map(|point| Some((point.step.into(), value(point)?)))
        .collect();
    let stride = all.len().div_ceil(POINTS_MAX).max(1);
    let mut points: Vec<(f64, f64)> = all.iter().copied().step_by(stride).collect();
    if all.len() % stride != 1 % stride {
        points.extend(all.last());
    }
    Curve {
        tone,
        points,
        has_dots: all.len() < 15,
    }
}

#[cfg(test)]
mod tests {
    use formats::history::HISTORY_FORMAT;

    use super::*;

    fn point(step: u32) -> TrainingPoint {
        TrainingPoint {
            format: HISTORY_FORMAT,
            step,
            epoch: 1,
            loss: 1.0 / f64::from(step),
            learning_rate: 0.01,
            steps_per_second: 5_000.0,
            clean: None,
            noisy: None,
            elapsed_ms: step.into(),
        }
    }

    #[test]
    fn a_long_course_is_thinned_and_keeps_both_ends() {
        for n_points in [1, 2, 399, 400, 401, 800, 801, 100_000] {
            let history: Vec<TrainingPoint> = (1..=n_points).map(point).collect();
            let curve = curve(Tone::Neutral, &history, |point| Some(point.loss));
            assert!(
                curve.points.len() <= POINTS_MAX + 1,
                "{n_points}: {}",
                curve.points.len()
            );
            assert_eq!(curve.points[0].0, 1.0);
            assert_eq!(curve.points.last().unwrap().0, f64::from(n_points), "{n_points}");
            assert!(curve.points.is_sorted_by(|one, other| one.0 < other.0), "{n_points}");
        }
    }

    #[test]
    fn a_course_without_points_or_looks_is_told_in_words() {
        assert!(course(&[]).unwrap().into_string().contains("not recorded"));
        assert!(course(&[point(1)]).unwrap().into_string().contains("Nobody looked"));
    }
}
