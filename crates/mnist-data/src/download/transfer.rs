//! One HTTP request, carried out by a thread of its own.
//!
//! Reading from a socket cannot be interrupted. So a thread does that, and whoever asked for the request waits for its
//! messages with a time limit and may go away at any moment; the thread ends when it finds nobody listening, at the
//! latest when its own time limits strike.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, header};

const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that may wait for the reader, so that a slow disk slows the network down instead of filling the memory.
const CHUNKS_WAITING_MAX: usize = 8;

/// What a transfer brings, in this order: a head, chunks, an end; or a failure at any point.
#[derive(Debug)]
pub(crate) enum Message {
    Head(Head),
    Chunk(Vec<u8>),
    End,
    NoAnswer(ureq::Error),
    Broken(io::Error),
}

/// What the headers of an answer say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes that follow.
    pub(crate) n_bytes: Option<u64>,
    /// First byte of the file that follows, where the server answers with a range.
    pub(crate) range_start: Option<u64>,
}

/// A client that gives up connecting after `connect_max` and waiting for more bytes after `stall_max`.
pub(crate) fn agent(connect_max: Duration, stall_max: Duration) -> Agent {
    Agent::config_builder()
        .timeout_resolve(Some(connect_max))
        .timeout_connect(Some(connect_max))
        .timeout_per_read(Some(stall_max))
        .http_status_as_error(false)
        .user_agent(concat!("mnist-data/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Asks for the file at `url` from byte `start` on.
pub(crate) fn start(agent: &Agent, url: &str, start: u64) -> Receiver<Message> {
    let (sender, receiver) = sync_channel(CHUNKS_WAITING_MAX);
    let (agent, url) = (agent.clone(), url.to_owned());
    thread::spawn(move || {
        let last = transfer(&agent, &url, start, &sender).unwrap_or_else(|failure| failure);
        // An error here means that nobody listens any more, which is how a transfer is called off.
        let _ = sender.send(last);
    });
    receiver
}

/// Sends what arrives; the last message, good or bad, is the result.
fn transfer(agent: &Agent, url: &str, start: u64, sender: &SyncSender<Message>) -> Result<Message, Message> {
    let mut request = agent.get(url);
    if start > 0 {
        request = request.header(header::RANGE, format!("bytes={start}-"));
    }
    let response = request.call().map_err(Message::NoAnswer)?;
    let head = head(response.status().as_u16(), response.headers());
    let mut body = response.into_body().into_reader();
    let mut is_wanted = sender.send(Message::Head(head)).is_ok();
    while is_wanted {
        let mut chunk = vec![0; CHUNK_BYTES];
        let n_bytes = body.read(&mut chunk).map_err(Message::Broken)?;
        if n_bytes == 0 {
            break;
        }
        chunk.truncate(n_bytes);
        is_wanted = sender.send(Message::Chunk(chunk)).is_ok();
    }
    Ok(Message::End)
}

fn head(status: u16, headers: &HeaderMap) -> Head {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let range = text(header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    Head {
        status,
        n_bytes: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        range_start: range.and_then(|range| range.split('-').next()?.parse().ok()),
    }
}
