//! The properties that the fuzzers check, on the seeds and on seeds that were changed a little; the same ones every time.

mod changes;

use std::{
    collections::BTreeSet,
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
};

use fastrand::Rng;

use changes::changed;
use fuzz_targets::{Outcome, TARGETS, Target};

/// Changed seeds for each reader; a test of some tenths of a second, where the fuzzers take hours.
const CHANGES: usize = 3_000;

fn fuzz_folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"))
}

/// The seeds of a reader with their names, in the order of the names.
fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz_folder().join("seeds").join(target.name);
    let names = files(&folder).into_iter();
    names
        .map(|name| {
            let seed = fs::read(folder.join(&name)).expect("a seed is a file");
            (name, seed)
        })
        .collect()
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let name = |entry: io::Result<DirEntry>| entry.ok()?.file_name().into_string().ok();
    entries
        .map(|entry| name(entry).expect("the folder is readable"))
        .collect()
}

#[test]
fn every_seed_has_the_outcome_of_its_name() {
    for target in TARGETS {
        let mut outcomes = BTreeSet::new();
        for (name, seed) in seeds(&target) {
            let is_refused = (target.check)(&seed) == Outcome::Refused;
            assert_eq!(is_refused, name.starts_with("refused-"), "{}/{name}", target.name);
            outcomes.insert(is_refused);
        }
        assert_eq!(outcomes.len(), 2, "{} lacks seeds of one kind", target.name);
    }
}

#[test]
fn changed_seeds_keep_what_is_promised() {
    for target in TARGETS {
        let seeds: Vec<Vec<u8>> = seeds(&target).into_iter().map(|(_, seed)| seed).collect();
        let mut random = Rng::with_seed(7);
        let mut n_accepted = 0;
        for _ in 0..CHANGES {
            let bytes = changed(&mut random, &seeds);
            n_accepted += usize::from((target.check)(&bytes) == Outcome::Accepted);
        }
        // Else the changes would be so wild that nothing behind the first check is tried.
        assert!(
            n_accepted > CHANGES / 50,
            "{}: {n_accepted} of {CHANGES} accepted",
            target.name
        );
    }
}

#[test]
fn every_target_has_its_fuzzer_and_every_fuzzer_its_target() {
    let fuzzers = files(&fuzz_folder().join("fuzz_targets"));
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| format!("{}.rs", target.name)).collect();
    assert_eq!(fuzzers, targets);
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    for target in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{}\"", target.name)),
            "{}",
            target.name
        );
        let fuzzer = fuzz_folder().join(format!("fuzz_targets/{}.rs", target.name));
        let call = format!("fuzz_targets::{}(bytes)", target.name);
        assert!(fs::read_to_string(fuzzer).unwrap().contains(&call), "{}", target.name);
    }
}
