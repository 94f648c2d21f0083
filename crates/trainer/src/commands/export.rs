//! `trainer export`: an artifact in a format of other programs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use console::exit;
use formats::{digest::Digest, signature::Dimension};
use model::{Artifact, export};

use super::read_artifact;
use crate::{
    cli::export::{ExportArgs, ExportFormat},
    staged::{self, Existing},
};

/// What may lie in a SavedModel folder. One with anything else is not replaced: it holds more than an export.
const SAVED_MODEL_ENTRIES: [&str; 5] = [
    "saved_model.pb",
    "variables",
    "assets",
    "assets.extra",
    "fingerprint.pb",
];

/// Writes the export and says how it is used.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let (artifact, digest) = read_artifact(&args.artifact)?;
    check_output(args)?;
    let n_bytes = write(args, &artifact, &digest)
        .with_context(|| format!("cannot write the export `{}`", args.output.display()))?;
    console::say(&summary(args, &artifact, &digest, n_bytes));
    Ok(ExitCode::from(exit::DONE))
}

/// Refuses to overwrite what nobody asked to be overwritten.
fn check_output(args: &ExportArgs) -> anyhow::Result<()> {
    let ExportArgs { output, .. } = args;
    let place = output.display();
    ensure!(output.file_name().is_some(), "`{place}` is no name for an export");
    if fs::symlink_metadata(output).is_err() {
        return Ok(());
    }
    if is_same_file(output, &args.artifact) {
        bail!("`{place}` is the artifact itself, which an export does not replace");
    }
    ensure!(args.force, "`{place}` exists already; `--force` replaces it");
    match args.format {
        ExportFormat::SavedModel => {
            ensure!(
                output.is_dir(),
                "expected a folder to replace, found the file `{place}`"
            );
            let entries = fs::read_dir(output).with_context(|| format!("cannot look into `{place}`"))?;
            for entry in entries {
                let name = entry
                    .with_context(|| format!("cannot look into `{place}`"))?
                    .file_name();
                ensure!(
                    SAVED_MODEL_ENTRIES.iter().any(|known| name == *known),
                    "`{place}` is not replaced: it holds `{}`, which is no part of a SavedModel",
                    name.display(),
                );
            }
        }
        ExportFormat::Onnx | ExportFormat::Safetensors => {
            ensure!(
                !output.is_dir(),
                "expected a file to replace, found the folder `{place}`"
            );
        }
    }
    Ok(())
}

fn is_same_file(left: &Path, right: &Path) -> bool {
    let canonical = |path: &Path| -> Option<PathBuf> { path.canonicalize().ok() };
    canonical(left).is_some_and(|left| canonical(right) == Some(left))
}

/// Writes all of the export or nothing, and returns how many bytes it has.
fn write(args: &ExportArgs, artifact: &Artifact, digest: &Digest) -> std::io::Result<usize> {
    let existing = if args.force {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let bytes = match args.format {
        ExportFormat::Onnx => export::onnx(artifact, digest),
        ExportFormat::Safetensors => export::safetensors(artifact, digest),
        ExportFormat::SavedModel => {
            let files = export::saved_model(artifact, digest);
            let files: Vec<(&str, &[u8])> = files.iter().map(|file| (file.path, file.bytes.as_slice())).collect();
            staged::write_folder(&args.output, &files, existing)?;
            return Ok(files.iter().map(|(_, bytes)| bytes.len()).sum());
        }
    };
    staged::write_file(&args.output, &bytes, existing)?;
    Ok(bytes.len())
}

fn summary(args: &ExportArgs, artifact: &Artifact, digest: &Digest, n_bytes: usize) -> String {
    let output = args.output.display().to_string();
    let (name, usage) = match args.format {
        ExportFormat::Onnx => (
            "ONNX",
            format!(r#"onnxruntime.InferenceSession({output:?}).run(None, {{"imgs": imgs}})"#),
        ),
        ExportFormat::SavedModel => (
            "TensorFlow SavedModel",
            format!(
                r#"tensorflow.saved_model.load({output:?}).signatures["{}"](imgs=imgs)"#,
                artifact.header().signature.name
            ),
        ),
        ExportFormat::Safetensors => (
            "weights of PyTorch's linear layers",
            format!("safetensors.torch.load_file({output:?})"),
        ),
    };
    let shape = artifact.header().signature.inputs[0].shape[1..].iter();
    let shape: Vec<String> = shape.map(Dimension::to_string).collect();
    let mut lines = vec![
        format!("exported `{}` ({})", args.artifact.display(), digest.short()),
        format!("  to              {output} ({n_bytes} bytes, {name})"),
        format!("  in Python       {usage}"),
    ];
    if args.format != ExportFormat::Safetensors {
        lines.push(format!(
            "  imgs            float32 [N, {}], 0 for paper and 1 for ink",
            shape.join(", ")
        ));
    }
    lines.join("\n")
}
