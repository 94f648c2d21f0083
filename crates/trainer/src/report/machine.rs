//! The machine that a run is on.

use std::{
    env::consts::{ARCH, OS},
    fs,
    num::NonZeroUsize,
    thread,
};

use formats::report::Machine;

use crate::settings::Compute;

/// What can be found out about this machine, and how much of it the run used.
pub(super) fn machine(compute: Compute) -> Machine {
    Machine {
        processor: fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| processor(&text)),
        cores: thread::available_parallelism().map_or(1, NonZeroUsize::get) as u64,
        threads: compute.n_threads.get() as u64,
        instruction_set: compute.instruction_set.to_string(),
        system: format!("{OS} {ARCH}"),
    }
}

/// The processor's name in Linux' description of it. Not every architecture has one.
fn processor(description: &str) -> Option<String> {
    let mut fields = description.lines().filter_map(|line| line.split_once(':'));
    let (_, name) = fields.find(|(key, _)| key.trim() == "model name")?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_found_where_linux_names_it() {
        let description = "processor\t: 0\nmodel name\t: Some CPU: 3 GHz\n\nprocessor\t: 1\nmodel name\t: Another\n";
        assert_eq!(processor(description).as_deref(), Some("Some CPU: 3 GHz"));
        assert_eq!(processor("CPU implementer : 0x41\n"), None);
    }
}
