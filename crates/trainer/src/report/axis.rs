//! The axes of charts: what they span, and where they have numbers.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// About as many numbers as fit beside an axis on a phone.
const TICKS: f64 = 5.0;

/// How values are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    Linear,
    /// By their logarithm. Only for values above 0.
    Logarithmic,
}

/// One axis of a chart.
///
/// Invariant: it spans more than nothing, and where it is logarithmic, values above 0.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) range: (f64, f64),
    scale: Scale,
    written: fn(f64) -> String,
}

impl Axis {
    /// An axis over `range`, widened where it spans nothing.
    pub(super) fn new(label: &'static str, range: (f64, f64), scale: Scale, written: fn(f64) -> String) -> Self {
        let (from, to) = range;
        let range = match scale {
            Scale::Linear if to > from => (from, to),
            Scale::Linear => (from, from + 1.0),
            Scale::Logarithmic => {
                let from = from.max(f64::MIN_POSITIVE);
                (from, to.max(2.0 * from))
            }
        };
        Self {
            label,
            range,
            scale,
            written,
        }
    }

    /// An axis from 0 or from the least to the greatest of `values`, whichever its scale asks for.
    pub(super) fn around(
        label: &'static str,
        values: impl Iterator<Item = f64> + Clone,
        scale: Scale,
        written: fn(f64) -> String,
    ) -> Self {
        let to = values.clone().fold(f64::MIN_POSITIVE, f64::max);
        let from = match scale {
            Scale::Linear => 0.0,
            Scale::Logarithmic => values.fold(to, f64::min),
        };
        Self::new(label, (from, to), scale, written)
    }

    /// Where a value lies, on an axis of even steps.
    fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.max(self.range.0).log10(),
        }
    }

    /// The values that are written at the axis: round ones.
    fn ticks(&self) -> Vec<f64> {
        let (from, to) = self.range;
        match self.scale {
            Scale::Linear => {
                let step = round_step((to - from) / TICKS);
                let (first, last) = ((from / step).ceil() as i64, (to / step + 1e-9).floor() as i64);
                (first..=last).map(|tick| tick as f64 * step).collect()
            }
            Scale::Logarithmic => {
                let decades = self.place(from).floor() as i32..=self.place(to).ceil() as i32;
                // Over many decades, their beginnings say enough.
                let mantissas: &[f64] = if decades.clone().count() > 4 {
                    &[1.0]
                } else {
                    &[1.0, 2.0, 5.0]
                };
                let values =
                    decades.flat_map(|decade| mantissas.iter().map(move |mantissa| mantissa * 10_f64.powi(decade)));
                values
                    .filter(|value| (from * 0.999..=to * 1.001).contains(value))
                    .collect()
            }
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let (from, to) = (self.place(self.range.0), self.place(self.range.1));
        let share = (self.place(*value) - from) / (to - from);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            Vec::new()
        } else {
            self.ticks()
        }
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        (self.written)(*value)
    }
}

/// The step of 1, 2 or 5 times a power of ten that is next to `step`.
fn round_step(step: f64) -> f64 {
    let decade = 10_f64.powf(step.log10().floor());
    let mantissa = match step / decade {
        mantissa if mantissa < 1.5 => 1.0,
        mantissa if mantissa < 3.5 => 2.0,
        mantissa if mantissa < 7.5 => 5.0,
        _ => 10.0,
    };
    mantissa * decade
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(range: (f64, f64), scale: Scale) -> Vec<String> {
        let axis = Axis::new("", range, scale, |value| {
            format!("{:.4}", value)
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned()
        });
        axis.ticks().iter().map(|value| axis.format_ext(value)).collect()
    }

    #[test]
    fn numbers_stand_at_round_places_within_the_axis() {
        assert_eq!(
            ticks((0.0, 10_000.0), Scale::Linear),
            ["0", "2000", "4000", "6000", "8000", "10000"]
        );
        assert_eq!(
            ticks((0.0, 0.01), Scale::Linear),
            ["0", "0.002", "0.004", "0.006", "0.008", "0.01"]
        );
        assert_eq!(ticks((0.91, 1.0), Scale::Linear), ["0.92", "0.94", "0.96", "0.98", "1"]);
        assert_eq!(
            ticks((0.0, 7.0), Scale::Linear),
            ["0", "1", "2", "3", "4", "5", "6", "7"]
        );
    }

    #[test]
    fn a_logarithmic_axis_has_numbers_in_every_decade() {
        assert_eq!(
            ticks((0.03, 2.3), Scale::Logarithmic),
            ["0.05", "0.1", "0.2", "0.5", "1", "2"]
        );
        assert_eq!(
            ticks((0.001, 100.0), Scale::Logarithmic),
            ["0.001", "0.01", "0.1", "1", "10", "100"]
        );
    }

    #[test]
    fn an_axis_that_spans_nothing_is_widened() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            for range in [(0.0, 0.0), (0.5, 0.5), (3.0, 1.0)] {
                let axis = Axis::new("", range, scale, |value| value.to_string());
                assert!(
                    axis.place(axis.range.0) < axis.place(axis.range.1),
                    "{scale:?} {range:?}"
                );
                assert!(axis.ticks().len() < 20, "{scale:?} {range:?}");
            }
        }
    }

    #[test]
    fn an_axis_around_values_holds_them_all() {
        let values = [0.3, 0.02, 2.0];
        let axis = Axis::around("", values.into_iter(), Scale::Logarithmic, |value| value.to_string());
        assert_eq!(axis.range, (0.02, 2.0));
        let axis = Axis::around("", values.into_iter(), Scale::Linear, |value| value.to_string());
        assert_eq!(axis.range, (0.0, 2.0));
    }
}
