//! `pipeline test`: test images through the gateway, and what came back.

use std::{collections::BTreeSet, num::NonZeroU32, path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;
use console::{Progress, exit};
use formats::{
    application::ApplicationRevision,
    name::{ApplicationName, SignatureName},
    report::{TEST_REPORT_FORMAT, TestReport},
    version::ModelVersion,
};
use mnist_data::{Dataset, Noise, Random, Split};

use crate::{
    cli::server::{API_KEYS_FILE, ServerArgs},
    client::Client,
    commands::fraction,
    credentials, files,
    probe::{self, Gateway, Image, Reply},
    score,
    settings::SIGNATURE,
    standing, summary,
};

/// Classes of the data set.
const N_CLASSES: usize = 10;

/// The sample has a stream of random numbers of its own, so that it does not depend on the noise.
const SAMPLE_STREAM: u64 = 1;

/// Send test images through the gateway, clean and noisy, and compare the answers with the labels
#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub server: ServerArgs,

    /// File with the API key that the server's predictions take; the first one counts
    #[arg(long, env = API_KEYS_FILE, value_name = "FILE")]
    pub api_keys_file: Option<PathBuf>,

    /// The application that is asked
    #[arg(long, env = "APPLICATION_NAME", default_value = "mnist-app", value_name = "NAME")]
    pub application: ApplicationName,

    /// The signature that is called
    #[arg(long, env = "SIGNATURE_NAME", default_value = SIGNATURE, value_name = "NAME")]
    pub signature: SignatureName,

    /// Folder with the IDX files of the test images
    #[arg(long, env = "MNIST_DATA_DIR", default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Clean images to send; half as many noisy ones follow
    #[arg(long, env = "WARMUP_IMAGES_AMOUNT", default_value = "1000", value_name = "N")]
    pub images: NonZeroU32,

    /// Decides which of the test images are sent, and the noise
    #[arg(long, default_value = "1", value_name = "N")]
    pub seed: u64,

    /// Least share of right answers for clean images, 0 to 1
    #[arg(long, value_name = "X", value_parser = fraction)]
    pub accuracy_min: Option<f64>,

    /// Least share of right answers for noisy images, 0 to 1
    #[arg(long, value_name = "X", value_parser = fraction)]
    pub noisy_accuracy_min: Option<f64>,

    /// Connections that send at the same time
    #[arg(long, default_value = "4", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub connections: u8,

    /// What `pipeline deploy` left: only its versions may answer. Without it those that are deployed now may
    #[arg(long, value_name = "FILE")]
    pub deployed: Option<PathBuf>,

    /// Leave the report here, as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Leave a request body with one of the test images and its label here, as JSON
    #[arg(long, value_name = "FILE")]
    pub example: Option<PathBuf>,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Carries out `pipeline test`: exit code 0 if every request was answered and every threshold is met, 1 if not.
pub(crate) fn test(arguments: &TestArgs) -> anyhow::Result<ExitCode> {
    let (clean, noisy) = load_images(arguments)?;
    let api_key = credentials::first(arguments.api_keys_file.as_deref())?;
    let client = arguments.server.client()?.with_api_key(api_key);
    let expected = expected_versions(&client, arguments)?;
    let gateway = Gateway {
        client,
        path: format!(
            "/gateway/applications/{}/{}",
            arguments.application, arguments.signature
        ),
        connections: arguments.connections.into(),
    };
    let mut progress = Progress::start("test", (clean.len() + noisy.len()) as u64, "images");
    let mut send = |images: &[Image]| probe::send(&gateway, images, &expected, || progress.advance(1));
    let (clean, noisy) = (send(&clean), send(&noisy));
    let report = report(arguments, &clean, &noisy);
    progress.finish(&summary::test_lines(&report, &score::reasons(&[&clean, &noisy])));
    if let Some(path) = &arguments.report {
        files::write_json(path, &report)?;
    }
    if arguments.json {
        console::print(&serde_json::to_string(&report).context("cannot write the report")?);
    }
    Ok(ExitCode::from(if report.passed { exit::DONE } else { exit::NO }))
}

/// A sample of the test images, and the first half of it again, with noise.
fn load_images(arguments: &TestArgs) -> anyhow::Result<(Vec<Image>, Vec<Image>)> {
    let dataset = Dataset::load(&arguments.data_dir, Split::Test, N_CLASSES).context("cannot load the test images")?;
    let n_clean = arguments.images.get() as usize;
    if n_clean > dataset.n_images() {
        anyhow::bail!(
            "{n_clean} test images are asked for, but there are {} in `{}`",
            dataset.n_images(),
            arguments.data_dir.display()
        );
    }
    let sample = sample(dataset.n_images(), n_clean, arguments.seed);
    let (n_rows, n_columns) = dataset.image_size();
    let image = |index: usize, noise: Option<&mut Noise>| {
        let mut pixels = vec![0.0; n_rows * n_columns];
        dataset.scale_into(index, &mut pixels);
        if let Some(noise) = noise {
            noise.add_to(&mut pixels);
        }
        Image {
            body: probe::body(&pixels, n_columns, None),
            label: dataset.labels()[index],
        }
    };
    if let Some(path) = &arguments.example {
        let first = sample[0];
        let pixels = dataset.scaled(first..first + 1);
        let pixels = pixels.as_slice().context("one image is one row")?;
        let label = Some(dataset.labels()[first]);
        files::write(path, probe::body(pixels, n_columns, label).as_bytes())?;
    }
    let clean = sample.iter().map(|&index| image(index, None)).collect();
    let mut noise = Noise::new(arguments.seed);
    let noisy = sample[..n_clean / 2]
        .iter()
        .map(|&index| image(index, Some(&mut noise)))
        .collect();
    Ok((clean, noisy))
}

/// Which images are sent. Not the first ones: MNIST keeps the images of one writer together, so the first thousand are
/// no fair sample.
fn sample(n_images: usize, n_sampled: usize, seed: u64) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..n_images).collect();
    Random::new(seed, SAMPLE_STREAM).shuffle(&mut indices);
    indices.truncate(n_sampled);
    indices
}

/// The versions that may answer.
fn expected_versions(client: &Client, arguments: &TestArgs) -> anyhow::Result<BTreeSet<ModelVersion>> {
    let revision: ApplicationRevision = match &arguments.deployed {
        Some(path) => files::read_json(path)?
            .with_context(|| format!("`{}`, which `pipeline deploy` leaves, is missing", path.display()))?,
        None => client
            .get(&standing::application_path(&arguments.application))
            .map_err(|error| error.keeps_from("cannot look up the application"))?,
    };
    Ok(revision.application.versions().cloned().collect())
}

fn report(arguments: &TestArgs, clean: &[Reply], noisy: &[Reply]) -> TestReport {
    let clean_score = score::score(clean, arguments.accuracy_min);
    let noisy_score = score::score(noisy, arguments.noisy_accuracy_min);
    TestReport {
        format: TEST_REPORT_FORMAT,
        application: arguments.application.clone(),
        versions: score::versions(&[clean, noisy]),
        passed: score::passes(&clean_score) && score::passes(&noisy_score),
        clean: clean_score,
        noisy: noisy_score,
    }
}
