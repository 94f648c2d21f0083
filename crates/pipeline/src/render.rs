//! The same plan as files for those who have other tools: pure functions from what a cluster is asked for to text.

mod argo;
mod helm;
mod kserve;
mod kubeflow;
mod kustomize;
mod monitoring;
pub(crate) mod yaml;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::bail;
use clap::ValueEnum;
use serde_json::Value;

use crate::executor::Scene;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One file for `kubectl apply`
    Yaml,
    /// A base and overlays for `kubectl apply -k`
    Kustomize,
    /// A chart
    Helm,
    /// Workflows
    Argo,
    /// A training for Kubeflow Trainer
    Kubeflow,
    /// A server for KServe
    Kserve,
    /// What Prometheus and Grafana watch
    Monitoring,
}

/// Text by path.
pub(crate) type Files = BTreeMap<PathBuf, String>;

/// The namespace that files name.
pub(crate) const NAMESPACE: &str = "slipway";

/// The files of a format, below the folder of them all.
pub(crate) fn files(scene: &Scene, format: Format) -> anyhow::Result<Files> {
    if let Some(folder) = &scene.source {
        bail!(
            "the data set comes from `{}` (key `data.source`), which is on this machine only",
            folder.display()
        );
    }
    let files: Vec<(&str, String)> = match format {
        Format::Yaml => vec![("slipway.yaml", kustomize::plain(scene))],
        Format::Kustomize => kustomize::files(scene),
        Format::Helm => helm::files(scene),
        Format::Argo => argo::files(scene),
        Format::Kubeflow => kubeflow::files(scene),
        Format::Kserve => kserve::files(scene),
        Format::Monitoring => monitoring::files(scene),
    };
    let files = files.into_iter();
    Ok(files
        .map(|(path, text)| (PathBuf::from(path), format!("{}{text}", head(path))))
        .collect())
}

/// Where a file comes from, in the words that its kind allows.
fn head(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("yaml") => "# Written by `pipeline render`; a change here is lost with the next one.\n",
        _ => "",
    }
}

/// Puts `value` at a path of an object that has one there.
fn set(object: &mut Value, path: &str, value: Value) {
    *object
        .pointer_mut(path)
        .unwrap_or_else(|| panic!("the object has no `{path}`")) = value;
}
