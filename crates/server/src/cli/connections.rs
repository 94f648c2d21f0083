//! The part of the command line that bounds connections.

use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use clap::Args;

use crate::{BodyPace, ConnectionLimits};

/// What one client, and all of them together, may ask of the sockets.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionArgs {
    /// Most open connections; more are answered 503 and closed. Less where the process may not open as many files
    #[arg(long, env = "CONNECTIONS_MAX", default_value = "8192", value_name = "N")]
    pub connections_max: NonZeroU32,

    /// Longest head of a request, in bytes, from the request line to the last header; more is answered 431
    #[arg(long, env = "HEADER_MAX_BYTES", default_value = "16384", value_name = "BYTES")]
    pub header_max_bytes: NonZeroU32,

    /// Most headers of a request; more are answered 431
    #[arg(long, env = "HEADERS_MAX", default_value = "100", value_name = "N")]
    pub headers_max: NonZeroU32,

    /// Longest time for the head of a request, from the connection's opening or the head's first byte, in milliseconds
    #[arg(long, env = "HEADER_TIMEOUT_MS", default_value = "10000", value_name = "MS")]
    pub header_timeout_ms: NonZeroU64,

    /// Longest time for the body of a request, in milliseconds, with one second more for each `--body-rate-min-bytes`
    /// that arrived; more is answered 408
    #[arg(long, env = "BODY_TIMEOUT_MS", default_value = "10000", value_name = "MS")]
    pub body_timeout_ms: NonZeroU64,

    /// Least bytes of a body in one second, once `--body-timeout-ms` has passed
    #[arg(long, env = "BODY_RATE_MIN_BYTES", default_value = "10240", value_name = "BYTES")]
    pub body_rate_min_bytes: NonZeroU32,

    /// Longest time in which a client takes nothing of an answer, in milliseconds
    #[arg(long, env = "WRITE_TIMEOUT_MS", default_value = "10000", value_name = "MS")]
    pub write_timeout_ms: NonZeroU64,

    /// Longest time between an answer and the next request of a connection, in milliseconds
    #[arg(long, env = "IDLE_TIMEOUT_MS", default_value = "75000", value_name = "MS")]
    pub idle_timeout_ms: NonZeroU64,

    /// Most requests of one HTTP/2 connection at the same time
    #[arg(long, env = "HTTP2_STREAMS_MAX", default_value = "100", value_name = "N")]
    pub http2_streams_max: NonZeroU32,

    /// How many more requests an HTTP/2 client may give up than it lets be answered
    #[arg(long, env = "HTTP2_RESETS_MAX", default_value = "100", value_name = "N")]
    pub http2_resets_max: u32,
}

impl ConnectionArgs {
    /// What the sockets are told.
    pub(crate) fn limits(&self) -> ConnectionLimits {
        ConnectionLimits {
            connections_max: self.connections_max.get(),
            header_max_bytes: self.header_max_bytes.get(),
            headers_max: self.headers_max.get() as usize,
            header_timeout: Duration::from_millis(self.header_timeout_ms.get()),
            write_timeout: Duration::from_millis(self.write_timeout_ms.get()),
            idle_timeout: Duration::from_millis(self.idle_timeout_ms.get()),
            http2_streams_max: self.http2_streams_max.get(),
            http2_resets_max: self.http2_resets_max,
        }
    }

    /// What whoever reads a body is told.
    pub(crate) fn body_pace(&self) -> BodyPace {
        BodyPace {
            timeout: Duration::from_millis(self.body_timeout_ms.get()),
            rate_min_bytes: self.body_rate_min_bytes.get(),
        }
    }
}
