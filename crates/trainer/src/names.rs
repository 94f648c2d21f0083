//! The names of what a run leaves in the models folder.

/// The files of one run.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    stem: String,
    artifact: String,
    report: String,
    page: String,
    card: String,
    history: [String; 2],
}

impl Names {
    /// Those of a run whose result counts, or those of one that only shows that everything works: it must not take the place
    /// of a good artifact.
    pub(crate) fn new(is_smoke: bool) -> Self {
        Self::of(if is_smoke { "mnist.smoke" } else { "mnist" })
    }

    /// Those of the same run when its model misses a gate: nothing reads these names, so what stands under the others stays.
    pub(crate) fn rejected(&self) -> Self {
        Self::of(&format!("{}.rejected", self.stem))
    }

    fn of(stem: &str) -> Self {
        Self {
            stem: stem.to_owned(),
            artifact: format!("{stem}.safetensors"),
            report: format!("{stem}.report.json"),
            page: format!("{stem}.report.html"),
            card: format!("{stem}.card.md"),
            history: ["jsonl", "csv"].map(|extension| format!("{stem}.history.{extension}")),
        }
    }

    pub(crate) fn artifact(&self) -> &str {
        &self.artifact
    }

    pub(crate) fn report(&self) -> &str {
        &self.report
    }

    pub(crate) fn page(&self) -> &str {
        &self.page
    }

    pub(crate) fn card(&self) -> &str {
        &self.card
    }

    /// The course as JSON lines and as a table.
    pub(crate) fn history(&self) -> [&str; 2] {
        [&self.history[0], &self.history[1]]
    }

    pub(crate) fn all(&self) -> Vec<String> {
        let documents = [&self.artifact, &self.report, &self.page, &self.card];
        documents.into_iter().chain(&self.history).cloned().collect()
    }
}
