//! What a run leaves beside its artifact: a page for people, the same numbers as JSON, and a model card.

mod axis;
mod card;
mod chart;
mod machine;
mod page;
mod words;

use std::path::PathBuf;

use anyhow::Context;
use formats::report::{Machine, TrainingReport};
use mnist_data::Dataset;

use crate::{models_dir::ModelsDir, names::Names, settings::Compute};

/// The machine that this run is on.
pub(crate) fn machine(compute: Compute) -> Machine {
    machine::machine(compute)
}

/// The three files, ready to be written.
pub(crate) struct Rendered {
    numbers: String,
    page: String,
    card: String,
}

/// Makes all three, with images out of `test`, on which the network was measured.
///
/// # Errors
///
/// Where a chart cannot be drawn.
pub(crate) fn render(report: &TrainingReport, test: &Dataset) -> anyhow::Result<Rendered> {
    let mut numbers = serde_json::to_string_pretty(report).context("cannot put the report into words")?;
    numbers.push('\n');
    Ok(Rendered {
        numbers,
        page: page::page(report, test).context("cannot draw the report")?,
        card: card::card(report),
    })
}

impl Rendered {
    /// Writes them and returns where the page is.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written: each of them is then the old one or the new one, whole.
    pub(crate) fn write(&self, models_dir: &ModelsDir, names: &Names) -> anyhow::Result<PathBuf> {
        models_dir.write(names.report(), self.numbers.as_bytes())?;
        models_dir.write(names.card(), self.card.as_bytes())?;
        models_dir.write(names.page(), self.page.as_bytes())
    }
}

/// The widths of the network: `784 → 256 → 64 → 10`.
fn layers(report: &TrainingReport) -> String {
    let widths: Vec<String> = report.layers.iter().map(u32::to_string).collect();
    widths.join(" → ")
}

#[cfg(test)]
mod tests;
