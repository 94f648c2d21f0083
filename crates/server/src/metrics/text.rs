//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

/// A text that grows line by line.
#[derive(Default)]
pub(super) struct Text(String);

/// What a reader may do with the samples of a family.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Text {
    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// One line. Label values are words of ours and names, so they hold nothing that had to be escaped.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.write(format_args!("{name}"));
        let mut before = '{';
        for (label, text) in labels {
            self.write(format_args!("{before}{label}=\"{text}\""));
            before = ',';
        }
        let end = if labels.is_empty() { "" } else { "}" };
        self.write(format_args!("{end} {value}\n"));
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.0
            .write_fmt(arguments)
            .expect("writing into a string does not fail");
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_family_is_its_help_its_type_and_its_samples() {
        let mut text = Text::default();
        text.family("t_total", Kind::Counter, "Things.");
        text.sample("t_total", &[], 0.000_01);
        text.sample("t_total", &[("a", "b"), ("c", "")], u64::MAX);
        expect![[r#"
            # HELP t_total Things.
            # TYPE t_total counter
            t_total 0.00001
            t_total{a="b",c=""} 18446744073709551615
        "#]]
        .assert_eq(&text.finish());
    }
}
