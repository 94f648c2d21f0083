//! Spans of requests for an OpenTelemetry collector: OTLP over HTTP, as JSON, from a thread of its own.
//!
//! A request only puts a small record into a bounded queue. A collector that is slow or away costs spans, which are
//! counted, and never an answer.

mod message;

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use axum::http::StatusCode;
use tokio::task;
use tracing::{info, warn};
use ureq::Agent;

use crate::{
    http::{RouteClass, TraceContext},
    metrics::{SpanCounts, Traffic},
    signals::{Share, Traces},
};

use message::Message;

/// Most spans in one message.
const BATCH_MAX: usize = 512;
/// Longest time that a span waits for others.
const BATCH_WAIT_MAX: Duration = Duration::from_secs(1);
/// Longest time for the collector to take a message.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Where spans are put.
pub(crate) struct Spans {
    sample: Share,
    queue: SyncSender<Item>,
    counts: Arc<SpanCounts>,
}

/// Which span a request is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanId {
    pub(crate) trace_id: u128,
    id: u64,
    parent_id: Option<u64>,
}

/// What a span says.
pub(crate) struct Span {
    pub(crate) id: SpanId,
    pub(crate) class: RouteClass,
    pub(crate) method: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) traffic: Option<Arc<Traffic>>,
    pub(crate) n_images: u64,
    pub(crate) end: SystemTime,
    pub(crate) duration: Duration,
}

enum Item {
    Span(Span),
    /// Everything before this is to be sent now; the sender is dropped then.
    Flush(SyncSender<()>),
}

/// The thread that sends.
struct Exporter {
    agent: Agent,
    traces: Traces,
    counts: Arc<SpanCounts>,
    is_failing: bool,
}

impl Spans {
    /// Starts the thread that sends what will be put into the queue.
    ///
    /// Errors: the operating system has no thread to give.
    pub(crate) fn start(traces: Traces, counts: Arc<SpanCounts>) -> io::Result<Self> {
        let (queue, items) = sync_channel(traces.queue_max);
        let sample = traces.sample;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_MAX))
            .max_redirects(0)
            .user_agent(concat!("slipway-server/", env!("CARGO_PKG_VERSION")))
            .build();
        let mut exporter = Exporter {
            agent: config.into(),
            traces,
            counts: counts.clone(),
            is_failing: false,
        };
        thread::Builder::new()
            .name("spans".to_owned())
            .spawn(move || exporter.run(&items))?;
        Ok(Self { sample, queue, counts })
    }

    /// The span of a request, if it is recorded: the caller decides, or else the share.
    pub(crate) fn begin(&self, caller: Option<TraceContext>) -> Option<SpanId> {
        let is_recorded = match caller {
            Some(caller) => caller.is_sampled,
            None => self.sample.has(fastrand::u64(..)),
        };
        is_recorded.then(|| SpanId {
            trace_id: caller.map_or_else(|| fastrand::u128(1..), |caller| caller.trace_id),
            id: fastrand::u64(1..),
            parent_id: caller.map(|caller| caller.parent_id),
        })
    }

    /// Puts a span into the queue, or drops it where the queue is full.
    pub(crate) fn end(&self, span: Span) {
        if self.queue.try_send(Item::Span(span)).is_err() {
            self.counts.dropped(1);
        }
    }

    /// Waits until everything in the queue was sent, or dropped, for at most `wait_max`.
    pub(crate) async fn flush(&self, wait_max: Duration) {
        let (sent, receive) = sync_channel(1);
        let queue = self.queue.clone();
        let flushing = task::spawn_blocking(move || {
            let _ = queue.send(Item::Flush(sent));
            let _ = receive.recv_timeout(wait_max);
        });
        let _ = tokio::time::timeout(wait_max, flushing).await;
    }
}

impl Exporter {
    fn run(&mut self, items: &Receiver<Item>) {
        // Ends when the last `Spans` is gone.
        while let Ok(first) = items.recv() {
            let (batch, _flushed) = gather(first, items);
            if !batch.is_empty() {
                self.send(&batch);
            }
        }
    }

    fn send(&mut self, batch: &[Span]) {
        let message = Message::new(&self.traces.service_name, batch);
        // `send_json` would indent it, to twice the length.
        let json = serde_json::to_vec(&message).expect("texts and numbers have a JSON form");
        let request = self.agent.post(&self.traces.url).content_type("application/json");
        let answer = request.send(&json);
        let problem = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        match &problem {
            None => self.counts.sent(batch.len()),
            Some(_) => self.counts.dropped(batch.len()),
        }
        // One line when it begins and one when it ends, not one a second.
        match (self.is_failing, &problem) {
            (false, Some(problem)) => warn!("the collector does not take spans, they are dropped: {problem}"),
            (true, None) => info!("the collector takes spans again"),
            _ => {}
        }
        self.is_failing = problem.is_some();
    }
}

/// The spans that come until there are enough of them, or the first has waited long enough, or someone asks.
fn gather(first: Item, items: &Receiver<Item>) -> (Vec<Span>, Option<SyncSender<()>>) {
    let start = Instant::now();
    let mut batch = Vec::new();
    let mut next = Ok(first);
    loop {
        match next {
            Ok(Item::Span(span)) => batch.push(span),
            Ok(Item::Flush(sent)) => return (batch, Some(sent)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (batch, None),
        }
        if batch.len() == BATCH_MAX {
            return (batch, None);
        }
        next = items.recv_timeout(BATCH_WAIT_MAX.saturating_sub(start.elapsed()));
    }
}
