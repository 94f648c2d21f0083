//! What surrounds each request, in one layer of a few hundred nanoseconds: limit, clock, guard, counters and ids.

use std::{
    future::{Future, poll_fn},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    body::HttpBody,
    extract::Request,
    http::{HeaderValue, Method},
    response::{IntoResponse, Response},
};
use tokio::time;
use tower::ServiceExt;
use tracing::{Instrument, error, info_span};

use crate::{
    App,
    http::{
        ApiError, RouteClass, TraceContext, access_log,
        dialect::Dialect,
        error::{Failure, from_panic},
        gateway, grpc,
        ids::{REQUEST_ID, request_id},
        open_inference::infer,
        slashes, v1,
    },
    metrics::Served,
    otlp::{Span, SpanId},
};

/// A request and its answer, for whoever writes about them.
pub(super) struct Exchange<'a> {
    pub(super) request_id: &'a HeaderValue,
    pub(super) trace_id: Option<u128>,
    pub(super) class: RouteClass,
    pub(super) method: &'static str,
    /// The length that the client announced.
    pub(super) received_bytes: Option<u64>,
    pub(super) response: &'a Response,
    pub(super) served: Option<&'a Served>,
    pub(super) duration: Duration,
}

/// An answer, and whose counters it belongs to, where that is known.
///
/// Routes behind axum's router note it in the extensions of their response, which takes three allocations.
pub(super) struct Answered {
    pub(super) response: Response,
    pub(super) served: Option<Served>,
}

impl From<Response> for Answered {
    fn from(mut response: Response) -> Self {
        let served = response.extensions_mut().remove();
        Self { response, served }
    }
}

impl From<ApiError> for Answered {
    fn from(error: ApiError) -> Self {
        error.into_response().into()
    }
}

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        let Self { mut response, served } = self;
        if let Some(served) = served {
            response.extensions_mut().insert(served);
        }
        response
    }
}

impl Exchange<'_> {
    pub(super) fn request_id(&self) -> &str {
        text(self.request_id)
    }

    /// The trace id as it is written everywhere.
    pub(super) fn trace_id(&self) -> Option<String> {
        self.trace_id.map(|id| format!("{id:032x}"))
    }
}

/// Answers `request` by `routes`, whatever happens there.
///
/// The request stays where it is as long as it can: every future that it is handed on to has room of its own for it, which
/// is in no cache when there are many connections.
pub(super) async fn answer(app: &Arc<App>, routes: &Router, request: &mut Request) -> Response {
    let start = Instant::now();
    slashes::collapse(request.uri_mut());
    v1::separate_verb(request.uri_mut());
    let class = RouteClass::of(request.uri().path());
    let dialect = Dialect::of_request(request);
    let method = method_name(request.method());
    let received_bytes = request.body().size_hint().exact();
    let id = request_id(request.headers());
    let caller = TraceContext::of(request.headers());
    let span = app.spans.as_ref().and_then(|spans| spans.begin(caller));
    // Pinned here, because every layer around a future would hold it twice: as its argument and where it is pinned.
    let answering = pin!(async {
        match app.access.admit(class, request.headers()) {
            // In a box, or each future would have room for a call, whatever it answers.
            Ok(()) if dialect == Dialect::Grpc => Box::pin(grpc::answer(app.clone(), mem::take(request))).await.into(),
            Ok(()) => route(app, routes, request).await,
            Err(error) => error.into(),
        }
    });
    let answering = limited(app, class, guarded(answering, app.limits.request_timeout));
    let Answered { response, served } = if class.is_prediction() {
        // A span of the log costs more than all the rest here, and on this way nothing writes to it.
        answering.await
    } else {
        answering.instrument(info_span!("request", id = text(&id))).await
    };
    let exchange = Exchange {
        request_id: &id,
        trace_id: span.map(|span| span.trace_id).or(caller.map(|caller| caller.trace_id)),
        class,
        method,
        received_bytes,
        response: &response,
        served: served.as_ref(),
        duration: start.elapsed(),
    };
    app.metrics.count(class, &response, exchange.served, exchange.duration);
    tell(app, &exchange, span);
    let mut response = dialect.render(response);
    // The answer carries the id too, so that a client's report leads to the log.
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn route(app: &App, routes: &Router, request: &mut Request) -> Answered {
    if let Some(answered) = gateway::predict_at_once(app, request).await {
        return answered;
    }
    if let Some(answered) = infer::predict_at_once(app, request).await {
        return answered;
    }
    let Ok(response) = routes.clone().oneshot(mem::take(request)).await;
    response.into()
}

/// Writes what the log and the collector are to know of an exchange.
fn tell(app: &App, exchange: &Exchange<'_>, span: Option<SpanId>) {
    let extensions = exchange.response.extensions();
    if let Some(Failure(failure)) = extensions.get() {
        let (request_id, route) = (exchange.request_id(), exchange.class.name());
        error!(
            request_id,
            trace_id = exchange.trace_id(),
            route,
            "a request failed: {failure}"
        );
    }
    access_log::write(app.access_log, exchange);
    if let (Some(id), Some(spans)) = (span, &app.spans) {
        let served = exchange.served;
        spans.end(Span {
            id,
            class: exchange.class,
            method: exchange.method,
            status: exchange.response.status(),
            traffic: served.map(|served| served.traffic.clone()),
            n_images: served.map_or(0, |served| served.n_images),
            end: SystemTime::now(),
            duration: exchange.duration,
        });
    }
}

/// Refuses at once, while a refusal is still cheap, when as many requests are worked on as may be.
async fn limited(app: &App, class: RouteClass, answering: impl Future<Output = Answered>) -> Answered {
    if !class.is_work() {
        return answering.await;
    }
    match app.metrics.in_flight.enter(app.limits.requests_in_flight_max) {
        Some(_place) => answering.await,
        None => ApiError::Overloaded.into(),
    }
}

/// Ends what takes longer than `limit`, so that a client that sends slowly, or a store that hangs, gives its place
/// back; and makes an answer of a panic, so that a defect of ours costs one request, not the connection.
async fn guarded(mut answering: Pin<&mut impl Future<Output = Answered>>, limit: Duration) -> Answered {
    let mut alarm = pin!(None);
    poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context))) {
            Ok(Poll::Ready(answered)) => return Poll::Ready(answered),
            Ok(Poll::Pending) => {}
            Err(panic) => return Poll::Ready(from_panic(panic).into()),
        }
        // Most requests are answered without waiting for anything, so only those that wait pay for a timer.
        if alarm.is_none() {
            alarm.set(Some(time::sleep(limit)));
        }
        let alarm = alarm.as_mut().as_pin_mut().expect("the alarm was set");
        alarm.poll(context).map(|()| ApiError::TimedOut { limit }.into())
    })
    .await
}

/// The method, unless it is an invention of the client's, which could be anything.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}

/// A request id as text; it is visible ASCII.
fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::future;

    use axum::http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer_also_after_waiting() {
        let answering = pin!(async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        });
        let response = guarded(answering, Duration::from_secs(60)).await.response;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let Failure(failure) = response.extensions().get().unwrap();
        assert_eq!(failure, "a request ended in a panic: on purpose");
    }

    #[tokio::test]
    async fn what_never_ends_is_ended_and_what_ends_is_not() {
        let response = guarded(pin!(future::pending()), Duration::from_millis(5))
            .await
            .response;
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        let at_once = pin!(async { StatusCode::OK.into_response().into() });
        let response = guarded(at_once, Duration::ZERO).await.response;
        assert_eq!(response.status(), StatusCode::OK);
    }
}
