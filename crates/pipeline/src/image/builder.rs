//! Building an image, and handing it on.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Context;
use console::exit;
use formats::digest::Digest;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    ImageError, Loader, Tool, archive,
    lines::{self, Recipe},
};
use crate::{
    executor::{Ended, TaskLimits, run_command},
    interrupt::Interrupt,
};

/// For each of the commands: a first build compiles everything.
const LIMITS: TaskLimits = TaskLimits {
    time_max: Duration::from_secs(2 * 60 * 60),
    stop_max: Duration::from_secs(15),
};

/// A program that builds images, with a folder for what it leaves.
pub(crate) struct Builder<'a> {
    tool: Tool,
    folder: TempDir,
    interrupt: &'a Interrupt,
}

/// An image that was built.
#[derive(Debug)]
pub(crate) struct Built {
    /// `name:tag`, where the content decides the tag.
    pub(crate) reference: String,
    /// The image in a file, which goes with the builder.
    archive: PathBuf,
}

/// Somebody pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("stopped before the image was there")]
pub(crate) struct Stopped;

impl<'a> Builder<'a> {
    /// The program that is asked for, or the first one that is there and has somebody who builds.
    pub(crate) fn find(tool: Option<Tool>, interrupt: &'a Interrupt) -> anyhow::Result<Self> {
        let all = [Tool::Docker, Tool::Podman, Tool::Buildctl];
        let candidates = tool.as_ref().map_or(all.as_slice(), std::slice::from_ref);
        let mut complaints = Vec::new();
        for &tool in candidates {
            match probe(tool)? {
                Some(Ok(())) => {
                    let folder = tempfile::tempdir().context("cannot make a folder for the image")?;
                    return Ok(Self {
                        tool,
                        folder,
                        interrupt,
                    });
                }
                Some(Err(complaint)) => complaints.push((tool, complaint)),
                None => {}
            }
        }
        Err(match complaints.is_empty() {
            true => ImageError::NoTool,
            false => ImageError::NoEngine(complaints),
        }
        .into())
    }

    /// Whether images are kept by the program, for whoever asks for one by its name.
    pub(crate) fn keeps(&self) -> bool {
        self.tool != Tool::Buildctl
    }

    /// Builds the image and keeps it under a tag that its content decides.
    pub(crate) fn build(&self, recipe: &Recipe<'_>, name: &str) -> anyhow::Result<Built> {
        let (raw, archive) = (self.folder.path().join("raw.tar"), self.folder.path().join("image.tar"));
        let output = format!("type=docker,dest={}", raw.display());
        self.run("build", &lines::build(self.tool, recipe, &self.note(), &output))?;
        if self.keeps() {
            let id = self.read_note()?;
            self.run("save", &lines::save(self.tool, id.trim(), &raw))?;
        }
        let named = |id: Digest| format!("{name}:{}", id.short());
        let id = archive::stamp(&raw, &archive, recipe.revision.epoch, named).context("cannot take the image apart")?;
        fs::remove_file(raw).context("cannot remove what the build left")?;
        if self.keeps() {
            self.run("keep", &lines::keep(self.tool, &archive))?;
        }
        Ok(Built {
            reference: named(id),
            archive,
        })
    }

    /// Hands the image to the registry of its name, and returns its name there, by digest.
    pub(crate) fn push(&self, recipe: &Recipe<'_>, built: &Built) -> anyhow::Result<String> {
        let reference = built.reference.as_str();
        let (name, _) = reference.rsplit_once(':').context("the image has no tag")?;
        match self.tool {
            Tool::Docker => {
                self.run("push", &lines::push(self.tool, reference, &self.note()))?;
                let digests = self.ask(&lines::digests(reference))?;
                let digest = digests.lines().find(|line| line.starts_with(&format!("{name}@")));
                digest
                    .map(str::to_owned)
                    .context("`docker` does not tell the digest that it pushed")
            }
            Tool::Podman => {
                self.run("push", &lines::push(self.tool, reference, &self.note()))?;
                Ok(format!("{name}@{}", self.read_note()?.trim()))
            }
            Tool::Buildctl => {
                // Nothing is built again: it has just been.
                let recipe = Recipe {
                    is_fresh: false,
                    ..recipe.clone()
                };
                let output = format!("type=image,name={reference},push=true");
                self.run("push", &lines::build(self.tool, &recipe, &self.note(), &output))?;
                let note: Value = serde_json::from_str(&self.read_note()?).context("`buildctl` notes no JSON")?;
                let digest = note["containerimage.digest"].as_str();
                Ok(format!(
                    "{name}@{}",
                    digest.context("`buildctl` does not tell the digest that it pushed")?
                ))
            }
        }
    }

    /// Brings the image into the nodes of a cluster.
    pub(crate) fn load(&self, loader: &Loader, built: &Built) -> anyhow::Result<()> {
        self.run("load", &loader.line(&built.reference, &built.archive))
    }

    fn note(&self) -> PathBuf {
        self.folder.path().join("note")
    }

    fn read_note(&self) -> anyhow::Result<String> {
        fs::read_to_string(self.note()).with_context(|| format!("`{}` does not note what it did", self.tool))
    }

    /// Runs a command whose lines are for people.
    fn run(&self, what: &str, line: &[String]) -> anyhow::Result<()> {
        let (program, arguments) = line.split_first().context("no program is given")?;
        let mut say = |line: &str| console::say(&format!("{what:<5} | {line}"));
        let ended = run_command(Command::new(program).args(arguments), LIMITS, self.interrupt, &mut say);
        match ended.with_context(|| format!("cannot start `{program}`"))? {
            Ended::Code(exit::DONE) => Ok(()),
            Ended::Interrupted => Err(Stopped.into()),
            ended => Err(ImageError::Failed {
                command: line.join(" "),
                ended: ended.to_string(),
            }
            .into()),
        }
    }

    /// Runs a command whose lines are for us.
    fn ask(&self, line: &[String]) -> anyhow::Result<String> {
        let (program, arguments) = line.split_first().context("no program is given")?;
        let output = Command::new(program).args(arguments).output();
        let output = output.with_context(|| format!("cannot start `{program}`"))?;
        if !output.status.success() {
            let command = line.join(" ");
            let ended = format!("says {}", last_line(&output.stderr));
            return Err(ImageError::Failed { command, ended }.into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Built {
    /// Leaves the image in a file.
    pub(crate) fn leave(&self, file: &Path) -> anyhow::Result<()> {
        fs::copy(&self.archive, file).with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(())
    }
}

/// Nothing where the program is not there, else whether it has somebody who builds, with its last word where not.
fn probe(tool: Tool) -> anyhow::Result<Option<Result<(), String>>> {
    let line = lines::probe(tool);
    match Command::new(&line[0]).args(&line[1..]).output() {
        Ok(output) if output.status.success() => Ok(Some(Ok(()))),
        Ok(output) => Ok(Some(Err(last_line(&output.stderr)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot start `{tool}`")),
    }
}

fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("it does not say why").trim().to_owned()
}
