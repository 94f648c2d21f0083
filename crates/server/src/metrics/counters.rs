//! Numbers that many threads add to at once, and one reads now and then.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use axum::http::StatusCode;

use crate::metrics::text::Text;

/// The statuses that have a counter of their own; all others share one. The most frequent comes first.
const STATUSES: [(u16, &str); 27] = [
    (200, "200"),
    (503, "503"),
    (400, "400"),
    (404, "404"),
    (201, "201"),
    (202, "202"),
    (204, "204"),
    (206, "206"),
    (304, "304"),
    (401, "401"),
    (403, "403"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (409, "409"),
    (411, "411"),
    (413, "413"),
    (415, "415"),
    (417, "417"),
    (422, "422"),
    (429, "429"),
    (431, "431"),
    (500, "500"),
    (501, "501"),
    (502, "502"),
    (504, "504"),
    (505, "505"),
];

/// Upper bounds of the histogram's buckets, in nanoseconds: a single image takes some microseconds, a thousand of them
/// some tens of milliseconds, an upload up to seconds.
const BOUNDS_NS: [u64; 16] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// A number that only grows.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

/// How often something was done, and how long all of it took.
#[derive(Default)]
pub(super) struct Total {
    count: Counter,
    ns: Counter,
}

/// When something happened last, in milliseconds since 1970; zero: never.
#[derive(Default)]
pub(super) struct Newest(AtomicU64);

/// How often each status was answered.
pub(super) struct Statuses([Counter; STATUSES.len() + 1]);

/// How long something took.
#[derive(Default)]
pub(super) struct Histogram {
    /// One for each bound, and one for what is above all of them.
    buckets: [Counter; BOUNDS_NS.len() + 1],
    sum_ns: Counter,
}

impl Counter {
    pub(super) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Total {
    pub(super) fn add(&self, duration: Duration) {
        self.count.add(1);
        self.ns.add(nanoseconds(duration));
    }

    /// How often, and how many nanoseconds in all.
    pub(super) fn get(&self) -> (u64, u64) {
        (self.count.get(), self.ns.get())
    }
}

impl Newest {
    pub(super) fn set(&self, time: SystemTime) {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.0.fetch_max(
            u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Default for Statuses {
    fn default() -> Self {
        Self(array::from_fn(|_| Counter::default()))
    }
}

impl Statuses {
    pub(super) fn count(&self, status: StatusCode) {
        let place = STATUSES.iter().position(|(known, _)| *known == status.as_u16());
        self.0[place.unwrap_or(STATUSES.len())].add(1);
    }

    /// The statuses that were answered at least once.
    pub(super) fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = STATUSES.iter().map(|(_, name)| *name).chain(["other"]);
        names
            .zip(self.0.iter().map(Counter::get))
            .filter(|(_, n_answers)| *n_answers > 0)
    }
}

impl Histogram {
    pub(super) fn observe(&self, duration: Duration) {
        let duration_ns = nanoseconds(duration);
        let bucket = BOUNDS_NS.iter().position(|bound| duration_ns <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS_NS.len())].add(1);
        self.sum_ns.add(duration_ns);
    }

    /// Writes the series of this histogram, if it saw anything.
    pub(super) fn render(&self, text: &mut Text, name: &str, label: (&str, &str)) {
        let mut n_below = 0;
        let cumulated = self.buckets.each_ref().map(|bucket| {
            n_below += bucket.get();
            n_below
        });
        if n_below == 0 {
            return;
        }
        for (bound_ns, n_below) in BOUNDS_NS.iter().zip(&cumulated) {
            let bound = (*bound_ns as f64 / 1e9).to_string();
            text.sample(&format!("{name}_bucket"), &[label, ("le", &bound)], n_below);
        }
        // The count is that of the last bucket, not a number of its own, so that the two never disagree.
        text.sample(&format!("{name}_bucket"), &[label, ("le", "+Inf")], n_below);
        text.sample(&format!("{name}_sum"), &[label], self.sum_ns.get() as f64 / 1e9);
        text.sample(&format!("{name}_count"), &[label], n_below);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_status_without_a_counter_of_its_own_is_still_counted() {
        let statuses = Statuses::default();
        for status in [200, 503, 200, 418, 599] {
            statuses.count(StatusCode::from_u16(status).unwrap());
        }
        let counted: Vec<_> = statuses.counted().collect();
        assert_eq!(counted, [("200", 2), ("503", 1), ("other", 2)]);
    }

    #[test]
    fn a_bound_belongs_to_its_bucket_and_buckets_add_up() {
        let histogram = Histogram::default();
        for duration_ns in [0, 10_000, 10_001, 3_000_000_000, u64::MAX / 2] {
            histogram.observe(Duration::from_nanos(duration_ns));
        }
        let mut text = Text::default();
        histogram.render(&mut text, "t", ("route", "r"));
        let rendered = text.finish();
        let ends: Vec<_> = rendered.lines().filter(|line| !line.contains("\"0.0")).collect();
        expect![[r#"
            t_bucket{route="r",le="0.1"} 3
            t_bucket{route="r",le="0.5"} 3
            t_bucket{route="r",le="2.5"} 3
            t_bucket{route="r",le="10"} 4
            t_bucket{route="r",le="+Inf"} 5
            t_sum{route="r"} 9223372039.854797
            t_count{route="r"} 5"#]]
        .assert_eq(&ends.join("\n"));
        assert!(
            rendered.starts_with("t_bucket{route=\"r\",le=\"0.00001\"} 2\nt_bucket{route=\"r\",le=\"0.000025\"} 3\n")
        );
    }

    #[test]
    fn a_histogram_that_saw_nothing_has_no_series() {
        let mut text = Text::default();
        Histogram::default().render(&mut text, "t", ("route", "r"));
        assert_eq!(text.finish(), "");
    }
}
