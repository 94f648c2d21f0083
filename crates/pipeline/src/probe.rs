//! Images sent through the gateway, over a few connections at once.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use formats::{api::MODEL_VERSION, version::ModelVersion};
use serde::Deserialize;

use crate::client::Client;

/// The address that answers, and over how many connections it is asked.
pub(crate) struct Gateway {
    /// The server.
    pub(crate) client: Client,
    /// Where the application answers.
    pub(crate) path: String,
    /// How many requests are on their way at the same time.
    pub(crate) connections: usize,
}

/// One image as it is sent.
pub(crate) struct Image {
    /// The request body.
    pub(crate) body: String,
    /// What it shows.
    pub(crate) label: u8,
}

/// What one request brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The answer, or why there is none that counts.
    pub(crate) answer: Result<Answer, String>,
    /// From sending to the last byte.
    pub(crate) took: Duration,
}

/// A usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether it is the label.
    pub(crate) is_right: bool,
    /// Who gave it.
    pub(crate) version: ModelVersion,
}

/// The part of an answer that decides.
#[derive(Deserialize)]
struct Prediction {
    class_ids: Vec<Vec<u64>>,
}

/// Sends every image once, and returns what came back in the order of the images.
///
/// An answer from a version that is not among `expected` is a failure, whatever it says.
pub(crate) fn send(
    gateway: &Gateway,
    images: &[Image],
    expected: &BTreeSet<ModelVersion>,
    sent: impl FnMut() + Send,
) -> Vec<Reply> {
    let next = AtomicUsize::new(0);
    let sent = Mutex::new(sent);
    let work = || {
        let mut replies = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(image) = images.get(index) else {
                return replies;
            };
            let started = Instant::now();
            let answer = ask(gateway, image, expected);
            let took = started.elapsed();
            replies.push((index, Reply { answer, took }));
            sent.lock().unwrap_or_else(PoisonError::into_inner)();
        }
    };
    let mut replies: Vec<(usize, Reply)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..gateway.connections).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join());
        results
            .flat_map(|result| result.expect("sending does not panic"))
            .collect()
    });
    replies.sort_by_key(|(index, _)| *index);
    replies.into_iter().map(|(_, reply)| reply).collect()
}

/// The request body for one image `[n_pixels]`: `{"imgs": [[[…], …]]}`. A label beside it is for people; servers
/// ignore keys that they do not know.
pub(crate) fn body(pixels: &[f32], n_columns: usize, label: Option<u8>) -> String {
    let mut body = match label {
        Some(label) => format!("{{\"label\": {label}, \"imgs\": [["),
        None => "{\"imgs\": [[".to_owned(),
    };
    for (index, row) in pixels.chunks(n_columns).enumerate() {
        body.push_str(if index == 0 { "[" } else { ",[" });
        for (column, pixel) in row.iter().enumerate() {
            let separator = if column == 0 { "" } else { "," };
            let _ = write!(body, "{separator}{pixel}");
        }
        body.push(']');
    }
    body + "]]}"
}

fn ask(gateway: &Gateway, image: &Image, expected: &BTreeSet<ModelVersion>) -> Result<Answer, String> {
    let (class_id, version) = answer(&gateway.client, &gateway.path, &image.body)?;
    match expected.contains(&version) {
        true => Ok(Answer {
            is_right: class_id == u64::from(image.label),
            version,
        }),
        false => Err(format!("{version} answered, which is not deployed by this run")),
    }
}

/// Sends the one image of `body`: its class id and who gave it, or why there is no usable answer.
pub(crate) fn answer(client: &Client, path: &str, body: &str) -> Result<(u64, ModelVersion), String> {
    let answer = client.post_json::<Prediction>(path, body.as_bytes(), MODEL_VERSION);
    let (prediction, version) = answer.map_err(|error| describe(&error))?;
    let version: ModelVersion = version
        .ok_or_else(|| format!("the answer has no `{MODEL_VERSION}`"))?
        .parse()
        .map_err(|error| format!("the answer's `{MODEL_VERSION}` is wrong: {error}"))?;
    match prediction.class_ids.as_slice() {
        [row] if row.len() == 1 => Ok((row[0], version)),
        other => Err(format!(
            "expected one class id for one image, found {} rows",
            other.len()
        )),
    }
}

fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
