//! Files stay small enough to be read in one go.

use crate::workspace;

/// Longest Rust file, in lines, tests included.
const LINES_MAX: usize = 400;

/// Files that may be longer, each with its reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn no_file_is_longer_than_400_lines() {
    let too_long: Vec<String> = workspace::sources()
        .into_iter()
        .filter(|(path, _)| EXCEPTIONS.iter().all(|(exception, _reason)| exception != path))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, n_lines)| *n_lines > LINES_MAX)
        .map(|(path, n_lines)| format!("{path}: {n_lines} lines"))
        .collect();
    assert!(
        too_long.is_empty(),
        "expected at most {LINES_MAX} lines:\n{}",
        too_long.join("\n")
    );
}

#[test]
fn an_exception_is_still_needed() {
    let sources = workspace::sources();
    for (exception, reason) in EXCEPTIONS {
        let n_lines = sources
            .iter()
            .find(|(path, _)| path == exception)
            .map(|(_, text)| text.lines().count());
        assert!(
            n_lines.is_some_and(|n_lines| n_lines > LINES_MAX),
            "`{exception}` ({reason}) needs no exception"
        );
    }
}

#[test]
fn no_module_is_called_mod() {
    let found: Vec<String> = workspace::sources()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.ends_with("/mod.rs"))
        .collect();
    assert!(found.is_empty(), "expected `name.rs` beside `name/`, found {found:?}");
}
