//! Progress of long work: a bar on a terminal, a plain line now and then elsewhere.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// How often a plain line is written where stderr is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Progress of one piece of work with a known end.
pub struct Progress {
    label: String,
    unit: String,
    total: u64,
    /// What was done before this program started.
    done_before: u64,
    done: u64,
    note: String,
    started: Instant,
    form: Form,
}

enum Form {
    Bar(ProgressBar),
    Plain { last_line: Instant },
}

impl Progress {
    /// Starts to show work of `total` units; `unit` is its plural (`steps`); `bytes` are shown as such.
    pub fn start(label: &str, total: u64, unit: &str) -> Self {
        Self::start_at(label, 0, total, unit)
    }

    /// As [`Progress::start`], for work of which a part was `done` earlier: it counts for the share, not for the speed.
    pub fn start_at(label: &str, done: u64, total: u64, unit: &str) -> Self {
        let started = Instant::now();
        let form = if io::stderr().is_terminal() {
            Form::Bar(bar(label, done, total, unit))
        } else {
            Form::Plain { last_line: started }
        };
        Self {
            label: label.to_owned(),
            unit: unit.to_owned(),
            total,
            done_before: done,
            done,
            note: String::new(),
            started,
            form,
        }
    }

    /// Says that `done` units are done so far.
    pub fn set(&mut self, done: u64) {
        self.done = done;
        match &mut self.form {
            Form::Bar(bar) => bar.set_position(done),
            Form::Plain { last_line } if last_line.elapsed() >= PLAIN_INTERVAL => {
                *last_line = Instant::now();
                output::say(&self.plain_line());
            }
            Form::Plain { .. } => {}
        }
    }

    /// Says that `more` units are done.
    pub fn advance(&mut self, more: u64) {
        self.set(self.done.saturating_add(more));
    }

    /// Replaces the remark behind the figures, such as the loss.
    pub fn note(&mut self, text: &str) {
        text.clone_into(&mut self.note);
        if let Form::Bar(bar) = &self.form {
            bar.set_message(self.note.clone());
        }
    }

    /// Ends it with one lasting line.
    pub fn finish(self, text: &str) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
        output::say(text);
    }

    fn plain_line(&self) -> String {
        let Self {
            label,
            unit,
            total,
            done_before,
            done,
            note,
            ..
        } = self;
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = done.saturating_sub(*done_before) as f64 / seconds.max(1e-9);
        let left = total.saturating_sub(*done) as f64 / rate.max(1e-9);
        let percent = if *total == 0 { 100 } else { done * 100 / total };
        let figures = if unit == "bytes" {
            format!("{:.1} of {:.1} MB", *done as f64 / 1e6, *total as f64 / 1e6)
        } else {
            format!("{done} of {total} {unit}, {rate:.0} {unit}/s, {left:.0} s left")
        };
        let note = if note.is_empty() {
            String::new()
        } else {
            format!(", {note}")
        };
        format!("{label}: {percent} % ({figures}{note})")
    }
}

fn bar(label: &str, done: u64, total: u64, unit: &str) -> ProgressBar {
    let figures = if unit == "bytes" {
        "{bytes}/{total_bytes} {bytes_per_sec}"
    } else {
        "{human_pos}/{human_len} {unit} {per_sec}"
    }
    .replace("{unit}", unit);
    let template = format!("{{prefix}} {{bar:30}} {figures} {{msg}} ({{eta}} left)");
    let style = ProgressStyle::with_template(&template)
        .expect("the template is a constant of this file")
        .progress_chars("##-");
    let bar = ProgressBar::new(total).with_style(style).with_position(done);
    // Without this the first speed would be that of the steps which took no time at all.
    bar.reset_eta();
    bar.with_prefix(label.to_owned())
}
