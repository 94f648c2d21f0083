//! Where our own programs lie.

use std::env;
use std::path::PathBuf;

/// The built program `name`, next to the folder of the running test executable.
///
/// Nothing is built here: cargo builds the programs of a package before its own integration tests, and
/// `cargo build --workspace` builds those of the others.
///
/// # Panics
///
/// If the program has not been built, naming the command that builds it.
pub fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a running process knows its executable");
    let profile_folder = test.parent().and_then(|deps| deps.parent());
    let profile_folder = profile_folder.expect("a test executable lies in `target/<profile>/deps`");
    let program = profile_folder.join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        program.is_file(),
        "the program `{}` is not built; `cargo build --bin {name}` (with the test's own profile) builds it",
        program.display(),
    );
    program
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    #[test]
    fn a_program_that_is_not_built_is_named_with_the_command_that_builds_it() {
        let panic = panic::catch_unwind(|| program("no-such-program"));
        let message = *panic.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("`cargo build --bin no-such-program`"), "{message}");
    }
}
