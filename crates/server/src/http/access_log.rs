//! One line for each request that is to have one. It never holds a body, a header of the client or a path.

use axum::{body::HttpBody, http::StatusCode};
use tracing::info;

use crate::{
    http::exchange::Exchange,
    signals::{AccessLevel, AccessLog},
};

/// The target of the lines, so that a filter or a reader can tell them from others.
const TARGET: &str = "access";

/// Whether a request with this end gets a line. What went wrong always does.
fn is_logged(log: AccessLog, request_id: &[u8], status: StatusCode) -> bool {
    let went_wrong = status.is_client_error() || status.is_server_error();
    match log.level {
        AccessLevel::Off => false,
        AccessLevel::Errors => went_wrong,
        AccessLevel::All => went_wrong || log.sample.has_id(request_id),
    }
}

/// Writes the line of `exchange`, if it is to have one.
pub(super) fn write(log: AccessLog, exchange: &Exchange<'_>) {
    let request_id = exchange.request_id.as_bytes();
    let status = exchange.response.status();
    if !is_logged(log, request_id, status) {
        return;
    }
    let served = exchange.served;
    let names = served.map(|served| served.traffic.names());
    let (method, route) = (exchange.method, exchange.class.name());
    // Whole microseconds, so that a fraction has at most three digits.
    let duration_ms = exchange.duration.as_micros() as f64 / 1e3;
    info!(
        target: TARGET,
        request_id = exchange.request_id(),
        trace_id = exchange.trace_id(),
        method,
        route,
        status = status.as_u16(),
        application = names.map(|(application, _)| application).filter(|application| !application.is_empty()),
        version = names.map(|(_, version)| version).filter(|version| !version.is_empty()),
        images = served.map(|served| served.n_images),
        received_bytes = exchange.received_bytes,
        sent_bytes = exchange.response.body().size_hint().exact(),
        duration_ms,
        "{method} {route} answered {} in {duration_ms:.3} ms", status.as_u16()
    );
}
