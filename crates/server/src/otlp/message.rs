//! The JSON form of OTLP's `ExportTraceServiceRequest`, as far as spans of a server need it.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::otlp::Span;

/// `SPAN_KIND_SERVER`.
const KIND_SERVER: u8 = 2;
/// `STATUS_CODE_UNSET` and `STATUS_CODE_ERROR`: a server's span is an error from status 500 on.
const STATUS_UNSET: u8 = 0;
const STATUS_ERROR: u8 = 2;

/// One message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
    resource_spans: [ResourceSpans<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    resource: Resource<'a>,
    scope_spans: [ScopeSpans<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: [Attribute<'a>; 2],
}

#[derive(Serialize)]
struct ScopeSpans<'a> {
    scope: Scope,
    spans: Vec<SpanMessage<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

/// Ids are hexadecimal, and numbers of 64 bits are text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpanMessage<'a> {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute<'a>>,
    status: Status,
}

#[derive(Serialize)]
struct Status {
    code: u8,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: Value<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Value<'a> {
    StringValue(&'a str),
    IntValue(String),
}

impl<'a> Message<'a> {
    pub(super) fn new(service_name: &'a str, spans: &'a [Span]) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            resource_spans: [ResourceSpans {
                resource: Resource {
                    attributes: [text("service.name", service_name), text("service.version", version)],
                },
                scope_spans: [ScopeSpans {
                    scope: Scope {
                        name: "slipway-server",
                        version,
                    },
                    spans: spans.iter().map(SpanMessage::new).collect(),
                }],
            }],
        }
    }
}

impl<'a> SpanMessage<'a> {
    fn new(span: &'a Span) -> Self {
        let route = span.class.name();
        let mut attributes = vec![
            text("http.request.method", span.method),
            text("slipway.route", route),
            number("http.response.status_code", span.status.as_u16().into()),
        ];
        if let Some(traffic) = &span.traffic {
            let (application, version) = traffic.names();
            attributes.extend([
                text("slipway.application", application),
                text("slipway.version", version),
                number("slipway.images", span.n_images),
            ]);
        }
        let is_error = span.status.is_server_error();
        let end = span.end.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            trace_id: format!("{:032x}", span.id.trace_id),
            span_id: format!("{:016x}", span.id.id),
            parent_span_id: span.id.parent_id.map(|id| format!("{id:016x}")),
            name: format!("{} {route}", span.method),
            kind: KIND_SERVER,
            start_time_unix_nano: nanoseconds(end.saturating_sub(span.duration)),
            end_time_unix_nano: nanoseconds(end),
            attributes,
            status: Status {
                code: if is_error { STATUS_ERROR } else { STATUS_UNSET },
            },
        }
    }
}

fn text<'a>(key: &'static str, value: &'a str) -> Attribute<'a> {
    Attribute {
        key,
        value: Value::StringValue(value),
    }
}

fn number(key: &'static str, value: u64) -> Attribute<'static> {
    Attribute {
        key,
        value: Value::IntValue(value.to_string()),
    }
}

fn nanoseconds(since_epoch: Duration) -> String {
    since_epoch.as_nanos().to_string()
}
