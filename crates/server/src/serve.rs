//! The life of a server: listen, restore, answer, drain.

use std::{
    future::{Future, IntoFuture},
    io,
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use axum::serve::ListenerExt;
use inference::{Applications, Registry};
use thiserror::Error;
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    time,
};
use tower::make::Shared;
use tracing::{info, warn};

use crate::{App, Settings, router};

/// Longest time that the end waits for the collector of spans.
const SPANS_WAIT_MAX: Duration = Duration::from_secs(1);

/// The address cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on `{address}`")]
pub struct ListenError {
    /// Where the server was told to listen.
    pub address: SocketAddr,
    /// What the operating system says.
    pub source: io::Error,
}

/// Runs a server until SIGTERM or Ctrl-C.
///
/// Errors: [`ListenError`]; a registry that cannot be opened.
pub fn start(settings: Settings) -> anyhow::Result<ExitCode> {
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads")?;
    let result = runtime.block_on(async {
        // Before anything else, so that a signal during the start is not lost and ends the program in good order.
        let shutdown = asked_to_stop().context("cannot listen for signals")?;
        let address = settings.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ListenError { address, source })?;
        run(listener, settings, shutdown).await
    });
    // A blocking thread may still be busy with a request that nobody waits for any more.
    runtime.shutdown_background();
    result.map(|()| ExitCode::from(console::exit::DONE))
}

/// Serves on `listener` until `shutdown` is done; then finishes the requests that have begun, within
/// [`Settings::drain_max`].
///
/// `/readyz` answers 200 once every application of the registry is loaded, as far as it can be.
///
/// Errors: a registry that cannot be opened.
pub async fn run(listener: TcpListener, settings: Settings, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let address = listener.local_addr().context("cannot tell the address")?;
    let registry = Registry::open(&settings.registry)?;
    let applications = Arc::new(Applications::new(registry));
    let app = App::new(applications.clone(), settings.limits)
        .with_signals(settings.signals)
        .context("cannot start a thread")?;
    let app = Arc::new(app);
    info!("listening on http://{address}, registry `{}`", settings.registry);
    if !address.ip().is_loopback() {
        warn!("everybody who reaches {address} can publish models and deploy applications");
    }
    let following = tokio::spawn(async move { applications.follow(settings.refresh_interval).await });
    let (stop, stopped) = oneshot::channel::<()>();
    // Answers are small and complete when they are written, so waiting to fill a packet would only delay them.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let serving = axum::serve(listener, Shared::new(router(app.clone()))).with_graceful_shutdown(async move {
        let _ = stopped.await;
    });
    let mut serving = tokio::spawn(serving.into_future());
    tokio::select! {
        () = shutdown => {}
        ended = &mut serving => return ended.context("the server stopped by itself")?.context("cannot serve"),
    }
    following.abort();
    info!(
        "stopping: requests that have begun may finish within {} ms",
        settings.drain_max.as_millis()
    );
    let _ = stop.send(());
    match time::timeout(settings.drain_max, &mut serving).await {
        Ok(ended) => ended
            .context("the server did not stop in good order")?
            .context("cannot serve")?,
        Err(_) => {
            let n_requests = app.metrics.in_flight.n_requests();
            warn!(n_requests, "stopped while {n_requests} requests were not finished");
            serving.abort();
        }
    }
    if let Some(spans) = &app.spans {
        spans.flush(SPANS_WAIT_MAX).await;
    }
    info!("stopped");
    Ok(())
}

/// Done once the process is asked to stop, by `kill` or from the keyboard.
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
