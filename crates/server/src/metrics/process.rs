//! Figures of the process, under the names that every Prometheus client gives them.

use std::fs;

use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use crate::metrics::text::{Kind, Text};

/// Writes what the operating system tells; where it does not, the family is left out.
pub(super) fn render(text: &mut Text, started_at_ms: u64) {
    let mut gauge = |name: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            text.family(name, Kind::Gauge, help);
            text.sample(name, &[], value);
        }
    };
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = number(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024.0);
    gauge("process_resident_memory_bytes", "Memory that is in use.", memory);
    gauge(
        "process_threads",
        "Threads of the process.",
        number(&status, "Threads:"),
    );
    // The folder that is being listed is open, too.
    let open = fs::read_dir("/proc/self/fd")
        .ok()
        .map(|entries| entries.count() as f64 - 1.0);
    gauge("process_open_fds", "Open file descriptors.", open);
    let most = getrlimit(Resource::Nofile).current.map(|most| most as f64);
    gauge("process_max_fds", "Most file descriptors that may be open.", most);
    let start = started_at_ms as f64 / 1e3;
    gauge(
        "process_start_time_seconds",
        "Start, in seconds since 1970.",
        Some(start),
    );
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let name = "process_cpu_seconds_total";
    text.family(name, Kind::Counter, "Time that processors spent on the process.");
    text.sample(name, &[], spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9);
}

/// The number behind `key` in a table of the kernel.
fn number(table: &str, key: &str) -> Option<f64> {
    let line = table.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_key() {
        let table = "Name:\tserver\nVmRSS:\t   12345 kB\nThreads:\t4\n";
        assert_eq!(number(table, "VmRSS:"), Some(12345.0));
        assert_eq!(number(table, "Threads:"), Some(4.0));
        assert_eq!(number(table, "VmSwap:"), None);
    }
}
