//! What surrounds each request, in one layer of a few hundred nanoseconds: limit, clock, guard, counters and ids.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use tokio::time;
use tower::ServiceExt;
use tracing::{Instrument, error, info_span};

use crate::{
    App,
    http::{
        ApiError, RouteClass,
        error::{Failure, from_panic},
        ids::{REQUEST_ID, request_id},
    },
};

/// Answers `request` by `routes`, whatever happens there.
pub(super) async fn answer(app: &App, routes: Router, request: Request) -> Response {
    let start = Instant::now();
    let class = RouteClass::of(request.uri().path());
    let id = request_id(request.headers());
    let mut response = limited(app, class, async {
        let answering = async { routes.oneshot(request).await.unwrap_or_else(|never| match never {}) };
        let answering = guarded(answering, app.limits.request_timeout);
        match class {
            // A span costs more than all the rest here, and on this way nothing logs.
            RouteClass::Gateway => answering.await,
            _ => {
                answering
                    .instrument(info_span!("request", id = id.to_str().unwrap_or_default()))
                    .await
            }
        }
    })
    .await;
    if let Some(Failure(failure)) = response.extensions().get() {
        error!(
            request_id = id.to_str().unwrap_or_default(),
            route = class.name(),
            "a request failed: {failure}"
        );
    }
    app.metrics.count(class, &response, start.elapsed());
    // The answer carries the id too, so that a client's report leads to the log.
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Refuses at once, while a refusal is still cheap, when as many requests are worked on as may be.
async fn limited(app: &App, class: RouteClass, answering: impl Future<Output = Response>) -> Response {
    if !class.is_work() {
        return answering.await;
    }
    match app.metrics.in_flight.enter(app.limits.requests_in_flight_max) {
        Some(_place) => answering.await,
        None => ApiError::Overloaded.into_response(),
    }
}

/// Ends what takes longer than `limit`, so that a client that sends slowly, or a store that hangs, gives its place
/// back; and makes an answer of a panic, so that a defect of ours costs one request, not the connection.
async fn guarded(answering: impl Future<Output = Response>, limit: Duration) -> Response {
    let mut answering = pin!(answering);
    let mut alarm = pin!(None);
    poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context))) {
            Ok(Poll::Ready(response)) => return Poll::Ready(response),
            Ok(Poll::Pending) => {}
            Err(panic) => return Poll::Ready(from_panic(panic)),
        }
        // Most requests are answered without waiting for anything, so only those that wait pay for a timer.
        if alarm.is_none() {
            alarm.set(Some(time::sleep(limit)));
        }
        let alarm = alarm.as_mut().as_pin_mut().expect("the alarm was set");
        alarm
            .poll(context)
            .map(|()| ApiError::TimedOut { limit }.into_response())
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future;

    use axum::http::StatusCode;

    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer_also_after_waiting() {
        let answering = async {
            tokio::task::yield_now().await;
            panic!("on purpose");
        };
        let response = guarded(answering, Duration::from_secs(60)).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let Failure(failure) = response.extensions().get().unwrap();
        assert_eq!(failure, "a request ended in a panic: on purpose");
    }

    #[tokio::test]
    async fn what_never_ends_is_ended_and_what_ends_is_not() {
        let response = guarded(future::pending(), Duration::from_millis(5)).await;
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        let response = guarded(async { StatusCode::OK.into_response() }, Duration::ZERO).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
}
