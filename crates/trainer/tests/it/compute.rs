//! How much of the machine computes: it changes the time, and nothing else.

use formats::digest::Digest;

use crate::{report, trainer, workspace};

#[test]
fn threads_and_instruction_set_change_no_bit_of_the_artifact() {
    let workspace = workspace();
    let artifact = |compute: &[&str]| -> Digest {
        let outcome = trainer(
            &workspace,
            &[&["--steps", "60", "--batch-size", "32"], compute].concat(),
        );
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        report(&workspace).artifact
    };
    let expected = artifact(&[]);
    assert_eq!(artifact(&["--threads", "1"]), expected);
    assert_eq!(artifact(&["--threads", "3"]), expected);
    assert_eq!(artifact(&["--instruction-set", "portable"]), expected);
}

#[test]
fn what_the_machine_or_the_device_has_not_is_refused() {
    let workspace = workspace();
    for (arguments, code, words) in [
        (
            &["--threads", "0"][..],
            2,
            "`--threads` takes a whole number from 1 to 256",
        ),
        (&["--instruction-set", "mmx"], 2, "this processor has "),
        (
            &["--instruction-set", "portable", "--device", "ndarray"],
            1,
            "`--instruction-set` is for `--device native`, and the device is burn ndarray",
        ),
    ] {
        let outcome = trainer(&workspace, arguments);
        assert_eq!(outcome.code, code, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
        assert!(workspace.files("models").is_empty());
    }
}
