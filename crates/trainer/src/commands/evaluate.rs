//! `trainer evaluate`: an artifact on the test images.

mod table;

use std::process::ExitCode;

use anyhow::{Context, ensure};
use console::exit;
use formats::{
    evaluation::{EVALUATION_FORMAT, EvaluationReport},
    signature::Dimension,
};
use mnist_data::{Dataset, Split};
use model::Artifact;

use self::table::table;
use super::read_artifact;
use crate::{cli::evaluate::EvaluateArgs, evaluation::measure};

/// Prints what the artifact reaches.
pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let (artifact, digest) = read_artifact(&args.artifact)?;
    let images = images_for(&artifact, args)?;
    // The noise is that of the training's own evaluation, so that both can be compared.
    let seed = artifact.header().training.seed;
    let evaluation = measure(artifact.network(), &images, seed).context("cannot evaluate the network")?;
    let report = EvaluationReport {
        format: EVALUATION_FORMAT,
        artifact: digest,
        evaluation,
    };
    if args.json {
        let text = serde_json::to_string_pretty(&report).context("cannot put the evaluation into words")?;
        console::print(&text);
    } else {
        console::print(&table(&report));
    }
    Ok(ExitCode::from(exit::DONE))
}

/// The test images, where they are such as the artifact takes.
fn images_for(artifact: &Artifact, args: &EvaluateArgs) -> anyhow::Result<Dataset> {
    let n_classes = artifact.network().n_classes();
    let images = Dataset::load(&args.data_dir, Split::Test, n_classes).context("cannot load the images")?;
    let (rows, columns) = images.image_size();
    let found = [rows, columns].map(|length| Dimension::Fixed(u32::try_from(length).unwrap_or(u32::MAX)));
    // `[-1, rows, columns]`
    let expected = &artifact.header().signature.inputs[0].shape[1..];
    let in_words: Vec<String> = expected.iter().map(Dimension::to_string).collect();
    ensure!(
        *expected == found,
        "the test images in `{}` have {rows} × {columns} pixels, expected {} as `{}` takes them",
        args.data_dir.display(),
        in_words.join(" × "),
        args.artifact.display()
    );
    Ok(images)
}
