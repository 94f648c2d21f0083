//! The course of a training as files that grow while it runs.

mod tensorboard;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use formats::{history::TrainingPoint, report::Accuracy};
use tracing::warn;

use self::tensorboard::EventFile;
use crate::models_dir::ModelsDir;

/// The first line of the table.
const COLUMNS: &str = "step,epoch,loss,learning_rate,steps_per_second,clean_accuracy,noisy_accuracy,elapsed_ms\n";

/// Files that get every point of a training, each as one whole line or record.
pub(crate) struct History {
    files: Files,
    /// A file could not be written: that is told once.
    has_failed: bool,
}

struct Files {
    lines: File,
    table: File,
    tensorboard: Option<EventFile>,
}

impl History {
    /// Begins with the `points` that a checkpoint brought, and with nothing else: what an earlier run, or this one before it
    /// was killed, has written beyond them is gone.
    ///
    /// # Errors
    ///
    /// Where a file cannot be written.
    pub(crate) fn start(
        models_dir: &ModelsDir,
        [lines, table]: [&str; 2],
        tensorboard: Option<&Path>,
        points: &[TrainingPoint],
    ) -> anyhow::Result<Self> {
        let mut text = String::new();
        for point in points {
            text += &json_line(point).context("cannot put a point of the history into words")?;
        }
        let lines = models_dir.write(lines, text.as_bytes())?;
        let rows: String = points.iter().map(row).collect();
        let table = models_dir.write(table, format!("{COLUMNS}{rows}").as_bytes())?;
        let events = |folder: &Path| {
            EventFile::start(folder, points)
                .with_context(|| format!("cannot write an event file into `{}`", folder.display()))
        };
        let files = Files {
            lines: append_to(&lines)?,
            table: append_to(&table)?,
            tensorboard: tensorboard.map(events).transpose()?,
        };
        Ok(Self {
            files,
            has_failed: false,
        })
    }

    /// Adds a point. A disk that is full costs the history, and not the training.
    pub(crate) fn add(&mut self, point: &TrainingPoint) {
        if let Err(error) = self.files.add(point)
            && !self.has_failed
        {
            self.has_failed = true;
            warn!(
                "cannot write the history from step {} on, going on without: {error}",
                point.step
            );
        }
    }
}

impl Files {
    /// One call for each file, so that a program that is killed leaves whole lines.
    fn add(&mut self, point: &TrainingPoint) -> io::Result<()> {
        self.lines.write_all(json_line(point)?.as_bytes())?;
        self.table.write_all(row(point).as_bytes())?;
        match &mut self.tensorboard {
            Some(file) => file.add(point),
            None => Ok(()),
        }
    }
}

fn append_to(path: &PathBuf) -> anyhow::Result<File> {
    let file = OpenOptions::new().append(true).open(path);
    file.with_context(|| format!("cannot write `{}`", path.display()))
}

fn json_line(point: &TrainingPoint) -> serde_json::Result<String> {
    Ok(serde_json::to_string(point)? + "\n")
}

fn row(point: &TrainingPoint) -> String {
    let TrainingPoint {
        format: _,
        step,
        epoch,
        loss,
        learning_rate,
        steps_per_second,
        clean,
        noisy,
        elapsed_ms,
    } = point;
    let fraction = |accuracy: &Option<Accuracy>| accuracy.map_or_else(String::new, |some| some.fraction().to_string());
    let (clean, noisy) = (fraction(clean), fraction(noisy));
    format!("{step},{epoch},{loss},{learning_rate},{steps_per_second},{clean},{noisy},{elapsed_ms}\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::expect;
    use formats::history::HISTORY_FORMAT;

    use super::*;

    fn point(step: u32) -> TrainingPoint {
        let accuracy = |correct| (step == 200).then_some(Accuracy { correct, total: 1000 });
        TrainingPoint {
            format: HISTORY_FORMAT,
            step,
            epoch: 1,
            loss: 0.25,
            learning_rate: 0.01,
            steps_per_second: 5000.0,
            clean: accuracy(987),
            noisy: accuracy(500),
            elapsed_ms: 20,
        }
    }

    #[test]
    fn points_are_lines_and_what_is_beyond_the_checkpoint_is_cut_off() {
        let temporary = tempfile::tempdir().unwrap();
        let models_dir = ModelsDir::open(temporary.path(), 0, &[]).unwrap();
        let names = ["a.jsonl", "a.csv"];
        let mut killed = History::start(&models_dir, names, None, &[]).unwrap();
        for step in [100, 200, 300] {
            killed.add(&point(step));
        }
        let mut resumed = History::start(&models_dir, names, None, &[point(100)]).unwrap();
        resumed.add(&point(200));
        let read = |name| fs::read_to_string(temporary.path().join(name)).unwrap();
        expect![[r#"
            {"format":1,"step":100,"epoch":1,"loss":0.25,"learning_rate":0.01,"steps_per_second":5000.0,"clean":null,"noisy":null,"elapsed_ms":20}
            {"format":1,"step":200,"epoch":1,"loss":0.25,"learning_rate":0.01,"steps_per_second":5000.0,"clean":{"correct":987,"total":1000},"noisy":{"correct":500,"total":1000},"elapsed_ms":20}
        "#]]
        .assert_eq(&read("a.jsonl"));
        expect![[r#"
            step,epoch,loss,learning_rate,steps_per_second,clean_accuracy,noisy_accuracy,elapsed_ms
            100,1,0.25,0.01,5000,,,20
            200,1,0.25,0.01,5000,0.987,0.5,20
        "#]]
        .assert_eq(&read("a.csv"));
    }
}
