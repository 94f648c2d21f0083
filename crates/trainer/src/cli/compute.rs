//! Flags that say how much of the machine computes, for measurements and for machines that others use too.

use std::{num::NonZeroUsize, thread};

use clap::Args;
use kernels::InstructionSet;

use crate::{device::DeviceKind, settings::Compute};

/// Most threads: more than any machine has cores for layers of these widths.
const THREADS_MAX: usize = 256;

/// Nothing here changes what is learnt: the weights are the same to the bit.
#[derive(Debug, Clone, Copy, Args)]
pub struct ComputeArgs {
    /// Threads of the native engine; as many as there are cores, unless given. Results do not depend on it
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true, hide_short_help = true)]
    pub threads: Option<NonZeroUsize>,

    /// Instructions of the native engine: avx512, avx2 or portable; the fastest that the processor has, unless given.
    /// Results do not depend on it
    #[arg(long, value_name = "NAME", value_parser = instruction_set, hide_short_help = true)]
    pub instruction_set: Option<InstructionSet>,
}

impl ComputeArgs {
    /// What was asked for, with what the machine has in place of what was not.
    ///
    /// # Errors
    ///
    /// Where `device` has no use for what was given.
    pub(crate) fn compute(self, device: DeviceKind) -> anyhow::Result<Compute> {
        let given = [
            self.threads.map(|_| "--threads"),
            self.instruction_set.map(|_| "--instruction-set"),
        ];
        if let Some(flag) = given.into_iter().flatten().next() {
            anyhow::ensure!(
                device == DeviceKind::Native,
                "`{flag}` is for `--device native`, and the device is {}",
                device.engine_name()
            );
        }
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Compute {
            n_threads: self.threads.unwrap_or_else(cores),
            instruction_set: self.instruction_set.unwrap_or_else(InstructionSet::best),
        })
    }
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok();
    number
        .filter(|number: &NonZeroUsize| number.get() <= THREADS_MAX)
        .ok_or_else(|| format!("`--threads` takes a whole number from 1 to {THREADS_MAX}"))
}

fn instruction_set(text: &str) -> Result<InstructionSet, String> {
    let available = InstructionSet::available();
    let found = available.iter().find(|set| set.name() == text);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = available.iter().map(|set| set.name()).collect();
        format!("this processor has {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_outside_their_range_are_refused() {
        for text in ["0", "-1", "257", "two", ""] {
            assert!(threads(text).is_err(), "{text}");
        }
        assert_eq!(threads("256").map(NonZeroUsize::get), Ok(256));
    }

    #[test]
    fn an_instruction_set_is_one_that_the_processor_has() {
        for set in InstructionSet::available() {
            assert_eq!(instruction_set(set.name()), Ok(set));
        }
        let message = instruction_set("avx1024").unwrap_err();
        assert!(message.starts_with("this processor has "), "{message}");
        assert!(message.ends_with("portable"), "{message}");
    }

    #[test]
    fn what_is_not_given_is_what_the_machine_has() {
        let nothing = ComputeArgs {
            threads: None,
            instruction_set: None,
        };
        let compute = nothing.compute(DeviceKind::Ndarray).unwrap();
        assert_eq!(compute.n_threads, thread::available_parallelism().unwrap());
        assert_eq!(compute.instruction_set, InstructionSet::best());
    }

    #[test]
    fn a_device_with_no_use_for_a_flag_refuses_it() {
        let threads = ComputeArgs {
            threads: Some(NonZeroUsize::MIN),
            instruction_set: None,
        };
        assert_eq!(threads.compute(DeviceKind::Native).unwrap().n_threads.get(), 1);
        let error = threads.compute(DeviceKind::Ndarray).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`--threads` is for `--device native`, and the device is burn ndarray"
        );
    }
}
