//! `pipeline render`: the same delivery as files for other tools.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use console::exit;

use crate::{
    cli::Project,
    executor::Scene,
    files,
    render::{self, Format},
    settings::Settings,
};

/// Write the delivery as files for kubectl, kustomize, Helm, Argo, Kubeflow, KServe, Prometheus and Grafana
#[derive(Debug, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub project: Project,

    /// For which tool; without it for all of them
    #[arg(long, value_enum)]
    pub format: Option<Format>,

    /// The image with our programs
    #[arg(long, default_value = concat!("slipway:", env!("CARGO_PKG_VERSION")), value_name = "NAME")]
    pub image: String,

    /// The folder in which the files are written
    #[arg(long, default_value = "k8s", value_name = "DIR")]
    pub output: PathBuf,

    /// Write nothing, and end with exit code 1 where a file is not as it would be written
    #[arg(long)]
    pub check: bool,
}

/// Carries out `pipeline render`.
pub(crate) fn render(arguments: &RenderArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&arguments.project.config)?;
    let scene = Scene::new(&settings, &arguments.image, render::NAMESPACE)?;
    let formats = match &arguments.format {
        Some(format) => std::slice::from_ref(format),
        None => Format::value_variants(),
    };
    let mut n_stale = 0;
    for format in formats {
        for (path, text) in render::files(&scene, *format)? {
            let path = arguments.output.join(path);
            if is_fresh(&path, &text)? {
                continue;
            }
            n_stale += 1;
            if arguments.check {
                console::say(&format!("`{}` is not as `pipeline render` writes it", path.display()));
            } else {
                files::write(&path, text.as_bytes())?;
                console::say(&format!("wrote `{}`", path.display()));
            }
        }
    }
    let is_no = arguments.check && n_stale > 0;
    Ok(ExitCode::from(if is_no { exit::NO } else { exit::DONE }))
}

fn is_fresh(path: &Path, text: &str) -> anyhow::Result<bool> {
    match fs::read_to_string(path) {
        Ok(found) => Ok(found == text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}
