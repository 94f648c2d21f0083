//! What a server is told when it starts.

use std::{net::SocketAddr, time::Duration};

use crate::Signals;

/// Everything a server is told when it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// A folder or a `file://` URL.
    pub registry: String,
    /// What a client may ask for.
    pub limits: Limits,
    /// What is told about single requests.
    pub signals: Signals,
    /// How often the registry is looked at for what was deployed elsewhere.
    pub refresh_interval: Duration,
    /// How long requests may take to finish once the server is told to stop.
    pub drain_max: Duration,
}

/// What a client may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a predict body or a JSON document.
    pub body_max_bytes: usize,
    /// Bytes of an uploaded artifact.
    pub artifact_max_bytes: usize,
    /// Images in one predict request.
    pub images_max: usize,
    /// Bytes of a predict body that are worked on where they were read; more go to a blocking thread.
    pub inline_max_bytes: usize,
    /// Requests that are worked on at the same time; more are refused.
    pub requests_in_flight_max: usize,
    /// Time for one request, from its headers to the answer.
    pub request_timeout: Duration,
}
