//! Which commit an image is made of, and from when it is.

use std::{path::Path, process::Command};

/// What decides the programs of an image, as far as git knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The commit; one with changes beside it is none that anybody else has.
    pub(crate) name: String,
    /// Seconds since 1970-01-01 UTC: every time in the image is this one.
    pub(crate) epoch: u64,
}

/// What an image is made of; a change elsewhere leaves it as it is. The same list as in `.dockerignore`.
const SOURCES: [&str; 5] = ["Dockerfile", ".docker", "Cargo.toml", "Cargo.lock", "crates"];

impl Revision {
    /// That of the folder's commit. A folder that git knows nothing of has an unknown one, from 1970.
    pub(crate) fn of(folder: &Path) -> Self {
        let commit = git(folder, &["log", "-1", "--format=%H %ct"]);
        let found = commit.as_deref().and_then(|line| line.trim().split_once(' '));
        let Some((hash, epoch)) = found.and_then(|(hash, seconds)| Some((hash, seconds.parse().ok()?))) else {
            return Self {
                name: "unknown".to_owned(),
                epoch: 0,
            };
        };
        let changes = git(folder, &[["status", "--porcelain", "--"].as_slice(), &SOURCES].concat());
        let is_clean = changes.is_some_and(|changes| changes.is_empty());
        Self {
            name: format!("{hash}{}", if is_clean { "" } else { "-dirty" }),
            epoch,
        }
    }
}

/// What git prints, where it is there and ends well.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_changed_source_is_told_apart_from_its_commit_and_a_changed_document_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            Revision::of(folder.path()),
            Revision {
                name: "unknown".to_owned(),
                epoch: 0
            }
        );
        let git = |arguments: &[&str]| git(folder.path(), arguments).unwrap();
        git(&["init", "--quiet"]);
        fs::write(folder.path().join("Cargo.toml"), "one").unwrap();
        git(&["add", "."]);
        let who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"];
        git(&[
            who.as_slice(),
            &["commit", "--quiet", "--message", "one", "--date", "@1700000000 +0000"],
        ]
        .concat());
        let clean = Revision::of(folder.path());
        assert!(clean.name.len() == 40 && clean.epoch > 0, "{clean:?}");
        fs::write(folder.path().join("notes.md"), "two").unwrap();
        assert_eq!(Revision::of(folder.path()), clean);
        fs::write(folder.path().join("Cargo.toml"), "two").unwrap();
        assert_eq!(Revision::of(folder.path()).name, format!("{}-dirty", clean.name));
    }
}
