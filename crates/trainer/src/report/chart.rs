//! Charts as SVG, coloured by the page that shows them.

use plotters::{
    coord::ranged1d::ValueFormatter,
    prelude::{ChartBuilder, Circle, IntoDrawingArea, IntoFont, LabelAreaPosition, LineSeries, RGBColor, SVGBackend},
    style::{Color, TextStyle},
};

use super::axis::Axis;

/// Four times what a chart measures on a page: plotters counts in whole pixels, and a curve shall not show them.
const SIZE: (u32, u32) = (1_680, 1_000);
const TEXT_SIZE: f64 = 64.0;
const LINE_WIDTH: u32 = 8;
const DOT_RADIUS: i32 = 13;

/// What something in a chart stands for. Style sheets tell them apart by these colours and replace them by their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ink,
    Grid,
    Clean,
    Noisy,
    Neutral,
}

impl Tone {
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] = [Self::Ink, Self::Grid, Self::Clean, Self::Noisy, Self::Neutral];

    pub(super) const fn color(self) -> RGBColor {
        match self {
            Self::Ink => RGBColor(0x33, 0x33, 0x33),
            Self::Grid => RGBColor(0xDD, 0xDD, 0xDD),
            // Two that people who see no red or green can tell apart (Okabe and Ito).
            Self::Clean => RGBColor(0x00, 0x72, 0xB2),
            Self::Noisy => RGBColor(0xD5, 0x5E, 0x00),
            Self::Neutral => RGBColor(0x77, 0x77, 0x77),
        }
    }
}

/// One curve.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub(super) tone: Tone,
    pub(super) points: Vec<(f64, f64)>,
    /// Shows where the points are.
    pub(super) has_dots: bool,
}

/// Draws curves between two axes as one `<svg>` element.
///
/// # Errors
///
/// Where plotters fails, which it has no reason to.
pub(super) fn chart(x: &Axis, y: &Axis, curves: &[Curve]) -> anyhow::Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin_top(30)
        // Half of the last label stands beyond the axis.
        .margin_right(100)
        .set_label_area_size(LabelAreaPosition::Left, 220)
        .set_label_area_size(LabelAreaPosition::Bottom, 170)
        .build_cartesian_2d(x.clone(), y.clone())?;
    let ink = Tone::Ink.color();
    let text = TextStyle::from(("sans-serif", TEXT_SIZE).into_font()).color(&ink);
    chart
        .configure_mesh()
        .bold_line_style(Tone::Grid.color().stroke_width(3))
        .axis_style(Tone::Neutral.color().stroke_width(3))
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_desc(x.label)
        .x_label_formatter(&|value| x.format_ext(value))
        .y_label_formatter(&|value| y.format_ext(value))
        .draw()?;
    for curve in curves {
        let color = curve.tone.color();
        let points = || curve.points.iter().copied();
        chart.draw_series(LineSeries::new(points(), color.stroke_width(LINE_WIDTH)))?;
        if curve.has_dots {
            chart.draw_series(points().map(|point| Circle::new(point, DOT_RADIUS, color.filled())))?;
        }
    }
    area.present()?;
    // Both borrow the text.
    drop(chart);
    drop(area);
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;
    use crate::report::axis::Scale;

    #[test]
    fn a_chart_has_its_curve_its_labels_and_is_well_formed() {
        let x = Axis::new("step", (0.0, 100.0), Scale::Linear, |step| format!("<{step}>"));
        let y = Axis::new("", (0.0, 1.0), Scale::Linear, |share| format!("{share}"));
        let curve = Curve {
            tone: Tone::Clean,
            points: vec![(0.0, 0.0), (50.0, 0.25), (100.0, 1.0)],
            has_dots: true,
        };
        let svg = chart(&x, &y, &[curve]).unwrap();
        let document = Document::parse(&svg).unwrap();
        let named = |name: &'static str| {
            document
                .descendants()
                .filter(move |node| node.tag_name().name() == name)
        };
        assert_eq!(named("circle").count(), 3);
        assert_eq!(
            named("polyline")
                .filter(|node| node.attribute("stroke") == Some("#0072B2"))
                .count(),
            1
        );
        let labels: Vec<&str> = named("text").filter_map(|node| node.text()).map(str::trim).collect();
        for label in ["<40>", "0.2", "step"] {
            assert!(labels.contains(&label), "no {label} in {labels:?}");
        }
    }

    #[test]
    fn curves_without_points_are_no_mistake() {
        let axis = Axis::new("step", (0.0, 0.0), Scale::Linear, |step| step.to_string());
        let curve = Curve {
            tone: Tone::Clean,
            points: vec![],
            has_dots: false,
        };
        assert!(chart(&axis, &axis, &[curve]).is_ok());
    }
}
