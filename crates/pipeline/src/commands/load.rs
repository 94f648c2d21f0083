//! `pipeline load`: test images at a steady rate, to see that nobody goes without an answer while something changes.

use std::{
    num::NonZeroU32,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use console::exit;
use formats::name::{ApplicationName, SignatureName};
use mnist_data::{Dataset, Split};
use serde::Serialize;

use crate::{cli::server::ServerArgs, interrupt::Interrupt, probe, settings::SIGNATURE, summary::OUTPUT_FORMAT};

/// Classes of the data set.
const N_CLASSES: usize = 10;
/// Reasons that are told; the others are counted only.
const REASONS_MAX: usize = 5;

/// Send test images at a steady rate, and count who goes without an answer
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(flatten)]
    pub server: ServerArgs,

    /// The application that is asked
    #[arg(long, default_value = "mnist-app", value_name = "NAME")]
    pub application: ApplicationName,

    /// The signature that is called
    #[arg(long, default_value = SIGNATURE, value_name = "NAME")]
    pub signature: SignatureName,

    /// Folder with the IDX files of the test images
    #[arg(long, default_value = "data/mnist", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Requests in a second
    #[arg(long, default_value = "200", value_name = "N")]
    pub rate: NonZeroU32,

    /// For how long; Ctrl-C or SIGTERM ends it before
    #[arg(long, default_value = "60", value_name = "N")]
    pub seconds: NonZeroU32,

    /// Connections that send at the same time
    #[arg(long, default_value = "8", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub connections: u8,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Load {
    format: u32,
    requests: u64,
    failures: u64,
    reasons: Vec<String>,
    seconds: f64,
}

/// Carries out `pipeline load`.
pub(crate) fn load(arguments: &LoadArgs) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::watch().context("cannot watch for signals")?;
    let dataset = Dataset::load(&arguments.data_dir, Split::Test, N_CLASSES).context("cannot load the test images")?;
    let client = arguments.server.client()?;
    let path = format!(
        "/gateway/applications/{}/{}",
        arguments.application, arguments.signature
    );
    let (_, n_columns) = dataset.image_size();
    let bodies: Vec<String> = (0..dataset.n_images().min(100))
        .map(|index| {
            let pixels = dataset.scaled(index..index + 1);
            probe::body(pixels.as_slice().expect("one image is one row"), n_columns, None)
        })
        .collect();
    let (started, sent) = (Instant::now(), AtomicU64::new(0));
    let end = started + Duration::from_secs(arguments.seconds.get().into());
    let pace = Duration::from_secs(1) / arguments.rate.get();
    let work = || {
        let mut failures = Vec::new();
        loop {
            let index = sent.fetch_add(1, Ordering::Relaxed);
            // A late request does not wait for its turn: the rate is kept, as strangers keep it.
            let turn = started + pace * u32::try_from(index).unwrap_or(u32::MAX);
            if turn >= end || interrupt.is_set() {
                return failures;
            }
            interrupt.pause(turn.saturating_duration_since(Instant::now()));
            let body = &bodies[usize::try_from(index).unwrap_or(0) % bodies.len()];
            failures.extend(probe::answer(&client, &path, body).err());
        }
    };
    let reasons: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.connections).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join());
        results
            .flat_map(|result| result.expect("sending does not panic"))
            .collect()
    });
    let load = Load {
        format: OUTPUT_FORMAT,
        // Each worker has drawn one number that it did not send.
        requests: sent.into_inner().saturating_sub(arguments.connections.into()),
        failures: reasons.len() as u64,
        seconds: started.elapsed().as_secs_f64(),
        reasons: reasons.into_iter().take(REASONS_MAX).collect(),
    };
    console::print(&serde_json::to_string(&load).context("cannot write what came of it")?);
    Ok(ExitCode::from(if load.failures == 0 { exit::DONE } else { exit::NO }))
}
