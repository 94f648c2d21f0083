//! `trainer evaluate`: an artifact on the test images.

use std::{fs, process::ExitCode};

use anyhow::{Context, ensure};
use console::exit;
use formats::signature::Dimension;
use mnist_data::{Dataset, Split};
use model::Artifact;

use crate::{cli::evaluate::EvaluateArgs, evaluation::evaluate, summary::of_images};

/// Prints what the artifact reaches.
pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<ExitCode> {
    let place = args.artifact.display();
    let bytes = fs::read(&args.artifact).with_context(|| format!("cannot read the artifact `{place}`"))?;
    let artifact = Artifact::read(&bytes).with_context(|| format!("cannot use `{place}`"))?;
    let network = artifact.network();
    let images = Dataset::load(&args.data_dir, Split::Test, network.n_classes()).context("cannot load the images")?;
    let shape = &artifact.header().signature.inputs[0].shape;
    let (rows, columns) = images.image_size();
    let found = [rows, columns].map(|length| Dimension::Fixed(u32::try_from(length).unwrap_or(u32::MAX)));
    let expected: Vec<String> = shape.iter().skip(1).map(Dimension::to_string).collect();
    ensure!(
        shape[1..] == found,
        "the test images in `{}` have {rows} × {columns} pixels, expected {} as `{place}` takes them",
        args.data_dir.display(),
        expected.join(" × "),
    );
    let seed = artifact.header().training.seed;
    let scores = evaluate(network, &images, seed).context("cannot evaluate the network")?;
    console::print(&format!("clean accuracy  {}", of_images(scores.clean)));
    console::print(&format!("noisy accuracy  {}", of_images(scores.noisy)));
    Ok(ExitCode::from(exit::DONE))
}
