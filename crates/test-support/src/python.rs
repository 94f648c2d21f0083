//! Python environments with pinned packages, for tests against real programs of other people.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Running, Workspace};

/// What may be called Python, the best first: the oldest programs that we are measured against end with 3.11.
const INTERPRETERS: [&str; 2] = ["python3.11", "python3"];
/// Written last into an environment, with its path: one without it was left half-made, or was moved, which breaks it.
const COMPLETE: &str = "complete";
/// Longest time that making an environment may take; TensorFlow has half a gigabyte to fetch.
const MAKE_MAX: Duration = Duration::from_secs(1200);

/// A Python environment with the packages of one requirements file.
///
/// It lies under the target folder, so that it is made once and `cargo clean` removes it.
#[derive(Clone, Debug)]
pub struct Python {
    folder: PathBuf,
}

impl Python {
    /// The environment with the packages of the file `requirements`; made first where no test has made it yet.
    ///
    /// The file names every package with its version (`numpy==2.4.6`), those that the others need included:
    /// `pip freeze` writes such a list. Nothing else is installed, so the same file is the same environment next year.
    ///
    /// # Panics
    ///
    /// Where there is no Python, a package cannot be had, or a version is not pinned.
    pub fn with(requirements: &Path) -> Self {
        let text = fs::read_to_string(requirements)
            .unwrap_or_else(|error| panic!("cannot read `{}`: {error}", requirements.display()));
        if let Some(line) = unpinned(&text) {
            panic!("`{}`: expected `name==version`, found `{line}`", requirements.display());
        }
        let (interpreter, version) = interpreter();
        let folder = environments().join(&hex(&Sha256::digest(format!("{version}\n{text}")))[..16]);
        fs::create_dir_all(environments()).expect("the target folder is writable");
        // Other tests, in this process and in others, want the same environment at the same time.
        let lock = File::create(folder.with_extension("lock")).expect("the target folder is writable");
        lock.lock().expect("a file in the target folder can be locked");
        if !is_whole(&folder) {
            make(&folder, interpreter, requirements);
        }
        Self { folder }
    }

    /// The path of a program that the packages brought (`pip` and `python` themselves are such).
    ///
    /// # Panics
    ///
    /// Where they brought no program of that name.
    pub fn program(&self, name: &str) -> PathBuf {
        let program = self.folder.join("bin").join(name);
        assert!(
            program.is_file(),
            "no package of the environment has a program `{name}`"
        );
        program
    }

    /// Runs a script in the workspace's folder, and returns what it printed to stdout.
    ///
    /// # Panics
    ///
    /// Where the script fails, with all that it printed.
    #[track_caller]
    pub fn run(&self, workspace: &Workspace, script: &Path, arguments: &[&str]) -> String {
        let script = script.to_str().expect("the path of a script is text");
        let outcome = workspace.run(&self.program("python"), &[&[script], arguments].concat());
        assert_eq!(
            outcome.code, 0,
            "`{script}` failed with {arguments:?}\n{}\n{}",
            outcome.stdout, outcome.stderr
        );
        outcome.stdout
    }
}

/// Where environments lie: `python` in the target folder, by way of the running test, `target/<profile>/deps/<test>`.
fn environments() -> PathBuf {
    let test = env::current_exe().expect("a running process knows its executable");
    let target = test.ancestors().nth(3);
    target
        .expect("a test executable lies in `target/<profile>/deps`")
        .join("python")
}

/// The first line that is neither empty, nor a comment, nor one package in one version.
fn unpinned(requirements: &str) -> Option<&str> {
    let lines = requirements.lines().map(str::trim);
    let mut packages = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    packages.find(|line| match line.split_once("==") {
        Some((name, version)) => [name, version]
            .iter()
            .any(|part| part.is_empty() || part.contains(|c: char| c.is_whitespace() || "*<>=,;@".contains(c))),
        None => true,
    })
}

/// A Python that runs, and what it says of its version.
fn interpreter() -> (&'static str, String) {
    let version = |name| {
        let output = Command::new(name).arg("--version").output().ok()?;
        // A name may be there that only says where it could be had.
        let version = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some((name, version))
    };
    INTERPRETERS.into_iter().find_map(version).unwrap_or_else(|| {
        panic!("no Python runs here, neither `python3.11` nor `python3`; this test needs one, with its module `venv`")
    })
}

/// The environment was made to its end, in this place, and its Python is still there.
fn is_whole(folder: &Path) -> bool {
    let complete = fs::read_to_string(folder.join(COMPLETE));
    complete.is_ok_and(|place| place == folder.display().to_string()) && folder.join("bin/python").is_file()
}

fn make(folder: &Path, interpreter: &str, requirements: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).expect("a half-made environment can be removed");
    }
    succeed(Command::new(interpreter).args(["-m", "venv"]).arg(folder));
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--no-deps", "--no-input", "--quiet"]);
    pip.args(["--disable-pip-version-check", "--requirement"]);
    succeed(pip.arg(requirements));
    fs::write(folder.join(COMPLETE), folder.display().to_string()).expect("the target folder is writable");
}

/// Runs a command that only has to end well; it keeps the environment, which says where packages come from.
fn succeed(command: &mut Command) {
    let outcome = Running::start(command).wait(MAKE_MAX);
    assert_eq!(
        outcome.code, 0,
        "cannot make a Python environment: {command:?}\n{}\n{}",
        outcome.stdout, outcome.stderr
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;
    use crate::OnDemand;

    #[test]
    fn only_exact_versions_are_pinned() {
        assert_eq!(unpinned("# why\nnumpy==2.4.6\n\nflatbuffers==25.12.19 \n"), None);
        for line in [
            "numpy",
            "numpy>=2",
            "numpy==2.*",
            "numpy===2",
            "numpy==",
            "numpy==2 --pre",
            "-r other.txt",
            "numpy==2; python_version > '3'",
        ] {
            assert_eq!(unpinned(&format!("safetensors==0.8.0\n{line}\n")), Some(line), "{line}");
        }
    }

    #[test]
    fn a_requirement_that_is_not_pinned_is_named() {
        let workspace = Workspace::new();
        let requirements = workspace.write("requirements.txt", b"numpy\n");
        let panic = panic::catch_unwind(|| Python::with(&requirements)).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert!(
            message.ends_with("expected `name==version`, found `numpy`"),
            "{message}"
        );
    }

    #[test]
    fn an_environment_is_made_once_and_again_if_it_was_left_half_made() {
        if !OnDemand::Interop.is_asked_for() {
            return;
        }
        let workspace = Workspace::new();
        // No packages, so that nothing is fetched; the number of this process, so that it is not there yet.
        let requirements = workspace.write(
            "requirements.txt",
            format!("# nothing for {}\n", std::process::id()).as_bytes(),
        );
        let script = workspace.write(
            "script.py",
            b"import os, sys; print(sys.prefix, os.getcwd(), *sys.argv[1:])",
        );

        let python = Python::with(&requirements);
        let place = workspace.path().canonicalize().unwrap();
        assert_eq!(
            python.run(&workspace, &script, &["one", "two"]),
            format!("{} {} one two\n", python.folder.display(), place.display())
        );

        let left = python.folder.join("left");
        fs::write(&left, b"").unwrap();
        Python::with(&requirements);
        assert!(left.exists(), "a whole environment was made again");
        fs::remove_file(python.folder.join(COMPLETE)).unwrap();
        Python::with(&requirements);
        assert!(!left.exists(), "a half-made environment was used");

        fs::remove_dir_all(&python.folder).unwrap();
        fs::remove_file(python.folder.with_extension("lock")).unwrap();
    }

    #[test]
    fn a_script_that_fails_tells_what_it_printed() {
        if !OnDemand::Interop.is_asked_for() {
            return;
        }
        let workspace = Workspace::new();
        let requirements = workspace.write("requirements.txt", b"# nothing\n");
        let script = workspace.write("script.py", b"raise SystemExit('the reason')");
        let python = Python::with(&requirements);
        let panic = panic::catch_unwind(|| python.run(&workspace, &script, &[])).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert!(message.contains("the reason"), "{message}");
    }
}
