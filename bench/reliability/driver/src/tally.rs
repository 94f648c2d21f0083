//! What became of all requests.

use std::{collections::BTreeMap, time::Duration};

use crate::client::{Answer, Failure};

/// Latencies of one kind of answer in whole microseconds, each with how often it was: some ten thousand are different.
type Latencies = BTreeMap<u32, u64>;

/// What became of all requests.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) seconds: f64,
    by_status: BTreeMap<u16, Latencies>,
    failures: BTreeMap<Failure, u64>,
    /// For each version, the classes that it answered with, and how often.
    versions: BTreeMap<String, BTreeMap<String, u64>>,
    n_retries: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, outcome: Result<Answer, Failure>, latency: Duration, n_retries: u64) {
        self.n_retries += n_retries;
        match outcome {
            Ok(answer) => {
                let micros = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
                // Beyond a millisecond, two digits less: a percentile needs no more, and the map stays small.
                let micros = if micros < 1_000 { micros } else { micros / 20 * 20 };
                *self
                    .by_status
                    .entry(answer.status)
                    .or_default()
                    .entry(micros)
                    .or_default() += 1;
                if let (Some(version), Some(class)) = (answer.version, answer.class) {
                    *self.versions.entry(version).or_default().entry(class).or_default() += 1;
                }
            }
            Err(failure) => *self.failures.entry(failure).or_default() += 1,
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (status, latencies) in other.by_status {
            let ours = self.by_status.entry(status).or_default();
            latencies
                .into_iter()
                .for_each(|(micros, n)| *ours.entry(micros).or_default() += n);
        }
        for (failure, n) in other.failures {
            *self.failures.entry(failure).or_default() += n;
        }
        for (version, classes) in other.versions {
            let ours = self.versions.entry(version).or_default();
            classes
                .into_iter()
                .for_each(|(class, n)| *ours.entry(class).or_default() += n);
        }
        self.n_retries += other.n_retries;
    }

    /// One line of JSON. Every text in it is ours, a number or a version, so nothing needs to be escaped.
    pub(crate) fn json(&self) -> String {
        let statuses = self.by_status.iter().map(|(status, latencies)| {
            let at = |share| f64::from(percentile(latencies, share)) / 1e3;
            format!(
                "\"{status}\":{{\"n\":{},\"p50_ms\":{},\"p99_ms\":{},\"max_ms\":{}}}",
                latencies.values().sum::<u64>(),
                at(0.5),
                at(0.99),
                at(1.0)
            )
        });
        let failures = self.failures.iter().map(|(failure, n)| format!("\"{failure}\":{n}"));
        let versions = self.versions.iter().map(|(version, classes)| {
            let classes = classes.iter().map(|(class, n)| format!("\"{class}\":{n}"));
            format!("\"{version}\":{{{}}}", join(classes))
        });
        format!(
            "{{\"seconds\":{},\"retries\":{},\"answers\":{{{}}},\"failures\":{{{}}},\"versions\":{{{}}}}}",
            self.seconds,
            self.n_retries,
            join(statuses),
            join(failures),
            join(versions)
        )
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(",")
}

/// The latency that `share` of all were at most.
fn percentile(latencies: &Latencies, share: f64) -> u32 {
    let n_all: u64 = latencies.values().sum();
    let rank = (n_all as f64 * share).ceil() as u64;
    let mut n_seen = 0;
    for (&micros, n) in latencies {
        n_seen += n;
        if n_seen >= rank {
            return micros;
        }
    }
    0
}
