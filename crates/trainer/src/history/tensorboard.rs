//! An event file for TensorBoard.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use formats::{history::TrainingPoint, report::Accuracy};
use model::events;

/// What TensorBoard looks for in the name of a file. A number follows, and files are read in the order of their names.
const PREFIX: &str = "events.out.tfevents.";
/// Digits of that number, the seconds since 1970.
const DIGITS: usize = 10;

/// A file that TensorBoard may read while it grows.
pub(super) struct EventFile {
    file: File,
}

impl EventFile {
    /// Makes a new file in `folder`, after all that are there. It makes TensorBoard forget those, so it begins with all the
    /// `points` so far: also a run that went on from a checkpoint is one curve.
    pub(super) fn start(folder: &Path, points: &[TrainingPoint]) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let now = seconds_now();
        let number = newest(folder)?.map_or(0, |newest| newest + 1).max(now as u64);
        let file = File::create_new(folder.join(format!("{PREFIX}{number:0DIGITS$}.slipway")))?;
        let mut events = Self { file };
        let head = [events::file_version(now), events::start(now, 0)].concat();
        events.file.write_all(&head)?;
        let elapsed_ms = points.last().map_or(0, |point| point.elapsed_ms);
        for point in points {
            let age_ms = elapsed_ms.saturating_sub(point.elapsed_ms);
            events.add_at(now - age_ms as f64 / 1000.0, point)?;
        }
        Ok(events)
    }

    pub(super) fn add(&mut self, point: &TrainingPoint) -> io::Result<()> {
        self.add_at(seconds_now(), point)
    }

    fn add_at(&mut self, wall_time: f64, point: &TrainingPoint) -> io::Result<()> {
        let mut values = vec![
            ("loss", point.loss),
            ("learning_rate", point.learning_rate),
            ("steps_per_second", point.steps_per_second),
        ];
        let accuracies = [("accuracy/clean", point.clean), ("accuracy/noisy", point.noisy)];
        values.extend(
            accuracies
                .into_iter()
                .filter_map(|(tag, accuracy)| Some((tag, accuracy.map(Accuracy::fraction)?))),
        );
        self.file
            .write_all(&events::scalars(wall_time, point.step.into(), &values))
    }
}

/// The largest number in the name of an event file.
fn newest(folder: &Path) -> io::Result<Option<u64>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('.').next());
        newest = newest.max(number.and_then(|number| number.parse().ok()));
    }
    Ok(newest)
}

/// Seconds since 1970.
fn seconds_now() -> f64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH);
    passed.map_or(0.0, |passed| passed.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_comes_after_all_that_are_there() {
        let temporary = tempfile::tempdir().unwrap();
        let late = format!("{PREFIX}9999999990.elsewhere");
        fs::write(temporary.path().join(late), b"").unwrap();
        EventFile::start(temporary.path(), &[]).unwrap();
        EventFile::start(temporary.path(), &[]).unwrap();
        let mut names: Vec<_> = fs::read_dir(temporary.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names[1..],
            [
                format!("{PREFIX}9999999991.slipway"),
                format!("{PREFIX}9999999992.slipway")
            ]
        );
    }
}
