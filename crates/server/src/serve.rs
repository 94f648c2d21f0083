//! The life of a server: listen, restore, answer, drain.

use std::{
    future::Future, io, net::SocketAddr, num::NonZeroUsize, pin::pin, process::ExitCode, sync::Arc, thread,
    time::Duration,
};

use anyhow::Context;
use inference::{Applications, Registry};
use thiserror::Error;
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout_at},
};
use tracing::{info, warn};

use crate::{
    Access, App, DrainTimes, Settings, Store, connections::Connections, descriptors, life::Stage, router, tls::Tls,
};

/// Longest time that the end waits for the collector of spans.
const SPANS_WAIT_MAX: Duration = Duration::from_secs(1);

/// How long a thread for blocking work waits for more. Shorter than the time between two looks at the registry, which would
/// otherwise keep as many threads as there ever were: each look wakes the one that has waited longest.
const BLOCKING_IDLE_MAX: Duration = Duration::from_millis(250);

/// The address cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on `{address}`")]
pub struct ListenError {
    /// Where the server was told to listen.
    pub address: SocketAddr,
    /// What the operating system says.
    pub source: io::Error,
}

/// The wish that the process ends, by `kill` or from the keyboard, as often as it is uttered.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

/// Runs a server until SIGTERM or Ctrl-C and until it has drained; a second signal ends it at once.
///
/// Errors: [`ListenError`]; a registry that cannot be opened; a file of secrets that cannot be used.
pub fn start(settings: Settings) -> anyhow::Result<ExitCode> {
    let settings = Settings {
        connections: descriptors::fitting(settings.connections),
        ..settings
    };
    let mut runtime = match thread::available_parallelism().map_or(1, NonZeroUsize::get) {
        // Threads that share their work have to tell each other of it, which costs something where there is only one.
        1 => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().thread_keep_alive(BLOCKING_IDLE_MAX);
    let runtime = runtime.build().context("cannot start the threads")?;
    let code = runtime.block_on(async {
        // Before anything else, so that a signal during the start is not lost and ends the program in good order.
        let mut stops = Stops::listen().context("cannot listen for signals")?;
        let address = settings.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ListenError { address, source })?;
        let (stop, stopped) = oneshot::channel::<()>();
        let mut running = pin!(run(listener, settings, async {
            let _ = stopped.await;
        }));
        tokio::select! {
            ended = &mut running => return ended.map(|()| console::exit::DONE),
            () = stops.next() => {}
        }
        let _ = stop.send(());
        tokio::select! {
            ended = running => ended.map(|()| console::exit::DONE),
            () = stops.next() => {
                warn!("stopped at once, because the wish was repeated");
                Ok(console::exit::INTERRUPTED)
            }
        }
    });
    // A blocking thread may still be busy with a request that nobody waits for any more.
    runtime.shutdown_background();
    code.map(ExitCode::from)
}

/// Serves on `listener` until `shutdown` is done and the server has drained, in the time of [`Settings::drain`].
///
/// `/readyz` answers 200 once every application of the registry is loaded, as far as it can be, and until `shutdown`.
///
/// Errors: a registry that cannot be opened; a file of secrets that cannot be used.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let address = listener.local_addr().context("cannot tell the address")?;
    let registry = match &settings.store {
        Store::Folder(location) => Registry::open(location)?,
        Store::Bucket(bucket) => Registry::in_bucket(bucket)?,
    };
    let applications = Arc::new(Applications::new(registry));
    let access = Access::new(&settings.access, address)?;
    let app = App::new(applications.clone(), settings.limits)
        .with_access(access)
        .with_invocations(settings.invocations)
        .with_signals(settings.signals)
        .context("cannot start a thread")?;
    let app = Arc::new(app);
    let tls = settings.tls.map(Tls::load).transpose()?.map(Arc::new);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let connections = Connections::new(
        app.clone(),
        router(app.clone()),
        tls.clone(),
        settings.connections,
        settings.drain,
    );
    info!("listening on {scheme}://{address}, registry `{}`", settings.store);
    app.access.announce(address);
    let following = tokio::spawn({
        let (app, interval) = (app.clone(), settings.refresh_interval);
        async move { tokio::join!(applications.follow(interval), app.access.follow(interval)) }
    });
    let following_tls = tls.map(|tls| tokio::spawn(tls.follow(settings.refresh_interval)));
    let accepting = tokio::spawn(connections.clone().accept(listener));
    shutdown.await;
    following.abort();
    if let Some(following) = following_tls {
        following.abort();
    }
    drain(&app, accepting, connections.closed(), settings.drain).await?;
    if let Some(spans) = &app.spans {
        spans.flush(SPANS_WAIT_MAX).await;
    }
    info!("stopped");
    Ok(())
}

/// Asks everybody to leave, then to finish, and in the end gives up what is not finished.
async fn drain(
    app: &App,
    accepting: JoinHandle<()>,
    closed: impl Future<Output = ()>,
    times: DrainTimes,
) -> anyhow::Result<()> {
    let asked = Instant::now();
    app.life.advance(Stage::Leaving);
    info!(
        "stopping: not ready any more, answering for {} ms, ended within {} ms",
        times.delay.as_millis(),
        times.max.as_millis()
    );
    sleep_until(asked + times.delay).await;
    app.life.advance(Stage::Closing);
    accepting.await.context("cannot accept connections")?;
    if timeout_at(asked + times.max, closed).await.is_err() {
        let n_requests = app.metrics.in_flight.n_requests();
        app.life.advance(Stage::Ended);
        warn!(n_requests, "stopped while {n_requests} requests were not finished");
    }
    Ok(())
}

impl Stops {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
