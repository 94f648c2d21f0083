//! Connections: accepted, counted, bounded in what they may take, and ended.
//!
//! The routes know nothing of this, and nothing here knows a route. Start at [`Connections::accept`], the loop that only
//! the end of the server ends; then [`watch`] for the time limits.

mod activity;
mod refusal;
mod service;
mod stream;
mod watch;
mod whole;

use std::{convert::Infallible, error::Error, io, sync::Arc, time::Duration};

use axum::{extract::Request, response::Response};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};
use tower::Service;
use tracing::{debug, warn};

use crate::{
    App,
    life::Stage,
    metrics::Reason,
    settings::{ConnectionLimits, DrainTimes},
    tls::Tls,
};

use activity::Activity;
use refusal::Refusals;
use service::Routes;
use stream::{Rewound, Watched};
use watch::{End, Watch};

/// Longest silence of a connection that a server lets pass at its end, in case the next request is on its way.
const LAST_IDLE_MAX: Duration = Duration::from_secs(1);

/// Most bytes that a connection reads ahead, unless a head may be longer: enough for whole requests of some images, and not
/// so much that a thousand long bodies on their way fill the memory.
const READ_BUFFER_MAX_BYTES: usize = 64 << 10;

/// Pause after a connection that the operating system could not give us, which is when descriptors or memory are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// All connections of a server, and what they share.
pub(crate) struct Connections<S> {
    app: Arc<App>,
    /// What answers; each connection has a clone of it.
    service: S,
    tls: Option<Arc<Tls>>,
    limits: ConnectionLimits,
    last_idle_max: Duration,
    /// One permit for each connection that may be open.
    permits: Arc<Semaphore>,
    refusals: Refusals,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl<S> Connections<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static,
{
    pub(crate) fn new(
        app: Arc<App>,
        service: S,
        tls: Option<Arc<Tls>>,
        limits: ConnectionLimits,
        drain: DrainTimes,
    ) -> Arc<Self> {
        let mut http1 = http1::Builder::new();
        http1
            .max_header_size(limits.header_max_bytes as usize)
            .max_buf_size(READ_BUFFER_MAX_BYTES.max(limits.header_max_bytes as usize))
            // Ours knows more, and costs no timer for each request.
            .header_read_timeout(None);
        // Another number than hyper's own costs an allocation for each request.
        if limits.headers_max != ConnectionLimits::HEADERS_MAX {
            http1.max_headers(limits.headers_max);
        }
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .max_header_list_size(limits.header_max_bytes)
            .max_concurrent_streams(limits.http2_streams_max)
            .max_pending_accept_reset_streams(limits.http2_resets_max as usize)
            .max_local_error_reset_streams(limits.http2_resets_max as usize);
        Arc::new(Self {
            app,
            service,
            tls,
            limits,
            last_idle_max: LAST_IDLE_MAX.min(drain.delay),
            permits: Arc::new(Semaphore::new(limits.connections_max as usize)),
            refusals: Refusals::new(),
            http1,
            http2,
        })
    }

    /// Accepts connections until the server closes, and then those that the operating system has accepted already.
    ///
    /// No error ends it: what fails is one connection, or passes.
    pub(crate) async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                biased;
                accepted = listener.accept() => accepted,
                () = self.app.life.reached(Stage::Closing) => break,
            };
            match accepted {
                Ok((socket, _)) => self.open(socket),
                Err(error) if concerns_one(&error) => debug!(%error, "a client broke off before it was accepted"),
                Err(error) => {
                    self.app.metrics.accept_failed();
                    warn!(%error, "no connection can be accepted: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // Closing the listener breaks off what it holds, and these clients have done nothing wrong.
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((socket, _)) = listener.accept() {
            if let Ok(socket) = socket.set_nonblocking(true).and_then(|()| TcpStream::from_std(socket)) {
                self.open(socket);
            }
        }
    }

    /// Done once no connection is left.
    pub(crate) async fn closed(&self) {
        // The semaphore is never closed, and it holds as many permits as it was made with.
        let _ = self.permits.acquire_many(self.limits.connections_max).await;
    }

    fn open(self: &Arc<Self>, socket: TcpStream) {
        match self.permits.clone().try_acquire_owned() {
            Ok(permit) => {
                let connections = self.clone();
                tokio::spawn(async move { connections.serve(socket, permit).await });
            }
            Err(_) => {
                self.app.metrics.refuse(Reason::Connections);
                // Without a handshake, a client of TLS could not read why.
                if self.tls.is_none() {
                    self.refusals.answer(socket);
                }
            }
        }
    }

    async fn serve(&self, socket: TcpStream, permit: OwnedSemaphorePermit) {
        self.app.metrics.accepted();
        let _place = self.app.metrics.connections.enter(usize::MAX);
        // Answers are small and complete when they are written, so waiting to fill a packet would only delay them.
        let _ = socket.set_nodelay(true);
        let activity = Arc::new(Activity::default());
        let stream = Watched::new(socket, activity.clone());
        let opened = Instant::now();
        let watch = Watch {
            activity: &activity,
            limits: &self.limits,
            life: &self.app.life,
            last_idle_max: self.last_idle_max,
            is_http2: false,
        };
        match &self.tls {
            None => self.serve_http(stream, &activity, watch, opened).await,
            Some(tls) => match watch.over(tls.acceptor().accept(stream), opened).await {
                End::Done(Ok(stream)) => self.serve_http(stream, &activity, watch, opened).await,
                End::Done(Err(_)) => self.count(Some(Reason::Handshake)),
                End::Cut(reason) => self.count(reason),
            },
        }
        drop(permit);
    }

    async fn serve_http<T>(&self, stream: T, activity: &Arc<Activity>, mut watch: Watch<'_>, opened: Instant)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = Routes {
            service: self.service.clone(),
            activity: activity.clone(),
            app: self.app.clone(),
        };
        let (stream, is_http2) = match watch.over(self.begin(stream, &service), opened).await {
            End::Done(Ok(Some(rest))) => rest,
            End::Done(Ok(None) | Err(_)) => return,
            End::Cut(reason) => return self.count(reason),
        };
        watch.is_http2 = is_http2;
        // Behind whole requests, the one that is not has begun just now.
        let since = if activity.has_begun() { Instant::now() } else { opened };
        // In a box, so that connections which need no hyper are not as large as if they did.
        Box::pin(self.serve_by_hyper(stream, service, watch, since)).await;
    }

    async fn serve_by_hyper<T>(&self, stream: Rewound<T>, service: Routes<S>, watch: Watch<'_>, since: Instant)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(stream);
        let end = if watch.is_http2 {
            let connection = self.http2.serve_connection(stream, service);
            watch.over_http(connection, since).await
        } else {
            let connection = self.http1.serve_connection(stream, service);
            watch.over_http(connection, since).await
        };
        match end {
            End::Done(Ok(())) => {}
            End::Done(Err(error)) => self.count(reason(&error)),
            End::Cut(reason) => self.count(reason),
        }
    }

    /// Answers what comes whole; returns the rest, if there is any, and whether that is HTTP/2.
    async fn begin<T>(&self, mut stream: T, service: &Routes<S>) -> io::Result<Option<(Rewound<T>, bool)>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        match whole::answer_all(&mut stream, service, &self.limits).await? {
            Some(read) => Rewound::after_preface(stream, read).await.map(Some),
            None => Ok(None),
        }
    }

    fn count(&self, reason: Option<Reason>) {
        if let Some(reason) = reason {
            self.app.metrics.refuse(reason);
        }
    }
}

/// The limit at which hyper ended a connection, if it did; that a client breaks off is none.
fn reason(error: &hyper::Error) -> Option<Reason> {
    let http2 = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    if http2.and_then(h2::Error::reason) == Some(h2::Reason::ENHANCE_YOUR_CALM) {
        Some(Reason::Resets)
    } else if error.is_parse_too_large() {
        Some(Reason::HeaderTooLarge)
    } else {
        error.is_parse().then_some(Reason::Malformed)
    }
}

/// Whether an error concerns only the connection that would have been accepted next.
fn concerns_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
