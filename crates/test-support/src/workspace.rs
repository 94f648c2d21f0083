//! A throw-away folder in which programs run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::Running;

/// Longest time a program may take that [`Workspace::run`] waits for; a hanging program must not hang the suite.
const RUN_MAX: Duration = Duration::from_secs(300);

/// A folder of its own, removed when it goes out of scope, also while a test panics.
#[derive(Debug)]
pub struct Workspace {
    folder: TempDir,
}

/// How a program ended and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code, or 128 and the number of the signal that ended the program.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Workspace {
    /// Makes an empty folder in the system's place for temporary files.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("workspace-").tempdir();
        Self {
            folder: folder.expect("the folder for temporary files is writable"),
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The path of `name` in this workspace, whether it exists or not.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, with the folders above it, and returns its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.join(name);
        let folder = path.parent().expect("a file in a workspace has a folder");
        fs::create_dir_all(folder).unwrap_or_else(|error| panic!("cannot make `{}`: {error}", folder.display()));
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("cannot write `{}`: {error}", path.display()));
        path
    }

    /// The bytes of a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()))
    }

    /// Every file below `name` (`""` for all), as sorted paths relative to the workspace.
    pub fn files(&self, name: &str) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.join(name)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let relative = path
                        .strip_prefix(self.path())
                        .expect("it was found below the workspace");
                    files.push(relative.display().to_string());
                }
            }
        }
        files.sort();
        files
    }

    /// A command that runs `program` in this folder.
    ///
    /// Of the environment it keeps only what programs need to run at all, so that a variable which a developer has
    /// set (`MNIST_DATA_DIR`, say) decides no test.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env_clear();
        for name in [
            "PATH",
            "TMPDIR",
            "LD_LIBRARY_PATH",
            "RUST_BACKTRACE",
            "LLVM_PROFILE_FILE",
        ] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.path());
        command
    }

    /// Runs `program` in this folder to its end.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Outcome {
        Running::start(self.command(program).args(arguments)).wait(RUN_MAX)
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    #[test]
    fn files_are_written_listed_and_read_back() {
        let workspace = Workspace::new();
        workspace.write("a/b/c.txt", b"deep");
        workspace.write("z.txt", b"flat");
        assert_eq!(workspace.files(""), ["a/b/c.txt", "z.txt"]);
        assert_eq!(workspace.files("a"), ["a/b/c.txt"]);
        assert_eq!(workspace.read("a/b/c.txt"), b"deep");
    }

    #[test]
    fn a_panic_leaves_no_folder_behind() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let _ = panic::catch_unwind(move || {
            let workspace = Workspace::new();
            sender.send(workspace.write("file", b"x")).unwrap();
            panic!("on purpose");
        });
        assert!(!receiver.recv().unwrap().parent().unwrap().exists());
    }

    #[test]
    fn a_program_runs_in_the_folder_without_the_developers_environment() {
        let workspace = Workspace::new();
        let outcome = workspace.run(
            Path::new("sh"),
            &["-c", "echo here > made; echo \"${CARGO_MANIFEST_DIR-unset}\""],
        );
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "unset\n"));
        assert_eq!(workspace.read("made"), b"here\n");
    }
}
