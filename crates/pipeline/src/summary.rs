//! What a delivery came to: for a person, and as one JSON document for machines.

use std::path::Path;

use console::exit;
use formats::{
    api::PublishedVersion,
    application::ApplicationRevision,
    report::{TestReport, TestScore},
};
use serde::{Deserialize, Serialize};

use crate::{
    delivery::{Delivered, StepResult},
    executor::Ended,
    files,
    plan::{Location, StepName, results},
    server_url::ServerUrl,
    settings::Settings,
    time,
};

/// The format number of every JSON document that the pipeline prints.
pub(crate) const OUTPUT_FORMAT: u32 = 1;

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Steps ran, and all is well.
    Delivered,
    /// All was well before.
    NothingToDo,
    /// A step failed.
    Failed,
    /// Somebody stopped it.
    Interrupted,
}

/// What a delivery came to. Parts that were not reached are absent.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    format: u32,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    steps: Vec<StepSummary>,
    /// The step that failed and how, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliverySummary>,
    #[serde(skip)]
    exit_code: u8,
}

#[derive(Debug, Serialize)]
struct StepSummary {
    step: StepName,
    outcome: &'static str,
    reason: String,
    seconds: f64,
}

/// What answers now.
#[derive(Debug, Serialize)]
struct DeliverySummary {
    model: String,
    application: String,
    revision: u32,
    url: String,
    /// What it takes for the address to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
    test: TestReport,
    /// A command line that asks for one prediction.
    curl: String,
    /// What the image shows that it sends.
    label: u8,
}

/// Where a delivery left what a summary is made of.
#[derive(Debug)]
pub(crate) struct Left<'a> {
    /// The folder with the small documents that steps handed on.
    pub(crate) results: &'a Path,
    /// Where the server answers.
    pub(crate) server: &'a ServerUrl,
    /// What it takes for it to answer there.
    pub(crate) remark: Option<&'a str>,
}

/// The part of an example that tells what its image shows.
#[derive(Deserialize)]
struct Example {
    label: u8,
}

impl Summary {
    /// Gathers what the steps left.
    pub(crate) fn new(settings: &Settings, delivered: &Delivered, left: &Left<'_>) -> anyhow::Result<Self> {
        let failure = delivered.failure();
        let verdict = match failure {
            Some((_, Ended::Interrupted)) => Verdict::Interrupted,
            Some(_) => Verdict::Failed,
            None if delivered.steps.iter().all(|step| step.ended.is_none()) => Verdict::NothingToDo,
            None => Verdict::Delivered,
        };
        Ok(Self {
            format: OUTPUT_FORMAT,
            verdict,
            run: delivered.run.as_ref().map(ToString::to_string),
            steps: delivered.steps.iter().map(StepSummary::new).collect(),
            failure: failure.map(|(step, ended)| format!("step {step} {ended}")),
            delivery: match failure {
                None => DeliverySummary::read(settings, left)?,
                // A test that was missed leaves its figures, too; any other failure leaves those of the run before.
                Some((StepName::Test, Ended::Code(exit::NO))) => {
                    DeliverySummary::read(settings, left)?.filter(|delivery| !delivery.test.passed)
                }
                Some(_) => None,
            },
            exit_code: match failure.map(|(_, ended)| ended) {
                None => exit::DONE,
                Some(Ended::Interrupted) => exit::INTERRUPTED,
                // Whoever repeats the whole delivery may want to know that another attempt is worth it.
                Some(Ended::Code(exit::TEMPORARY)) => exit::TEMPORARY,
                Some(_) => exit::NO,
            },
        })
    }

    /// The code with which the program ends.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// The text for a person.
    pub(crate) fn text(&self) -> String {
        let mut lines = Vec::new();
        match self.verdict {
            Verdict::Delivered | Verdict::NothingToDo => {}
            Verdict::Failed => {
                let step = self.steps.last().map_or("", |last| last.step.as_str());
                let failure = self.failure.as_deref().unwrap_or_default();
                lines.push(format!(
                    "{failure}; `pipeline logs {step}` shows its output, `pipeline up` goes on from here"
                ));
            }
            Verdict::Interrupted => lines.push("interrupted; `pipeline up` goes on from here".to_owned()),
        }
        if let Some(delivery) = &self.delivery {
            let times: Vec<String> = self.steps.iter().map(StepSummary::text).collect();
            lines.extend([
                format!("model        {}", delivery.model),
                format!("application  {} (revision {})", delivery.application, delivery.revision),
                test_lines(&delivery.test, &[]),
                format!("steps        {}", times.join(", ")),
                format!("address      {}{}", delivery.url, delivery.remark_text()),
                format!("try it       {}", delivery.curl),
                format!("             (it sends the image of a {})", delivery.label),
            ]);
        }
        lines.join("\n")
    }
}

impl DeliverySummary {
    fn read(settings: &Settings, left: &Left<'_>) -> anyhow::Result<Option<Self>> {
        let path = |location: &Location| left.results.join(location.file.as_deref().unwrap_or_default());
        let example = path(&results::example());
        let documents = (
            files::read_json::<PublishedVersion>(&path(&results::published()))?,
            files::read_json::<ApplicationRevision>(&path(&results::deployed()))?,
            files::read_json::<TestReport>(&path(&results::test_report()))?,
            files::read_json::<Example>(&example)?,
        );
        let (Some(published), Some(deployed), Some(test), Some(Example { label })) = documents else {
            return Ok(None);
        };
        let application = &deployed.application.name;
        let signature = settings.signature();
        let url = left
            .server
            .join(&format!("/gateway/applications/{application}/{signature}"));
        Ok(Some(Self {
            model: published.model.to_string(),
            application: application.to_string(),
            revision: deployed.revision.get(),
            curl: curl_line(&url, &example),
            url,
            remark: left.remark.map(str::to_owned),
            test,
            label,
        }))
    }
}

impl DeliverySummary {
    fn remark_text(&self) -> String {
        self.remark
            .as_ref()
            .map_or_else(String::new, |remark| format!(" ({remark})"))
    }
}

impl StepSummary {
    fn new(result: &StepResult) -> Self {
        Self {
            step: result.step,
            outcome: match result.ended {
                None => "skipped",
                Some(Ended::Code(exit::DONE)) => "done",
                Some(Ended::Interrupted) => "interrupted",
                Some(_) => "failed",
            },
            reason: result.reason.to_string(),
            seconds: (result.took.as_secs_f64() * 1e3).round() / 1e3,
        }
    }

    fn text(&self) -> String {
        match self.outcome {
            "skipped" => format!("{} skipped", self.step),
            _ => format!(
                "{} {}",
                self.step,
                time::span(std::time::Duration::from_secs_f64(self.seconds))
            ),
        }
    }
}

/// What a test found, in lines for a person.
pub(crate) fn test_lines(report: &TestReport, failures: &[(String, usize)]) -> String {
    let line = |name: &str, score: &TestScore| {
        let percent = 100.0 * score.accuracy.fraction();
        let gate = match score.accuracy_min {
            Some(least) if score.accuracy.fraction() < least => format!(", below the {:.2} % asked for", 100.0 * least),
            Some(least) => format!(", at least {:.2} % asked for", 100.0 * least),
            None => String::new(),
        };
        let failed = match score.failures {
            0 => String::new(),
            failures => format!(", {failures} of {} requests failed", score.requests),
        };
        let (p50, p99) = (score.p50_us as f64 / 1e3, score.p99_us as f64 / 1e3);
        let total = score.accuracy.total;
        format!("{name:<12} {percent:.2} % of {total} images right{gate}{failed} (p50 {p50:.1} ms, p99 {p99:.1} ms)")
    };
    let versions: Vec<String> = report.versions.iter().map(ToString::to_string).collect();
    let mut lines = vec![line("clean", &report.clean), line("noisy", &report.noisy)];
    lines.push(format!(
        "answered by  {}",
        if versions.is_empty() {
            "nobody".to_owned()
        } else {
            versions.join(", ")
        }
    ));
    lines.extend(
        failures
            .iter()
            .take(5)
            .map(|(reason, count)| format!("failed       {count} × {reason}")),
    );
    lines.join("\n")
}

/// A command that works when it is pasted into a shell in the folder where `pipeline` was called.
fn curl_line(url: &str, example: &Path) -> String {
    let body = example.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let body = match body.bytes().all(is_plain) {
        true => format!("@{body}"),
        false => format!("'@{}'", body.replace('\'', r"'\''")),
    };
    format!("curl -sS -H 'Content-Type: application/json' -d {body} {url}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_blanks_or_quotes_can_be_pasted() {
        let line = curl_line("http://h/p", Path::new("it's here/example.json"));
        assert!(line.contains(r"-d '@it'\''s here/example.json' http://h/p"), "{line}");
        let line = curl_line("http://h/p", Path::new(".pipeline/results/example.json"));
        assert!(line.contains("-d @.pipeline/results/example.json "), "{line}");
    }
}
