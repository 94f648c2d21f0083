//! What a server is told when it starts.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use formats::name::ApplicationName;
use inference::Bucket;

use crate::{AccessSettings, Signals};

/// Everything a server is told when it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where models and applications are kept.
    pub store: Store,
    /// What a client may ask for.
    pub limits: Limits,
    /// What a connection may do.
    pub connections: ConnectionLimits,
    /// What is told about single requests.
    pub signals: Signals,
    /// Who may manage, and who may ask.
    pub access: AccessSettings,
    /// What answers `/invocations` where the client does not say; without, the only application.
    pub invocations: Option<ApplicationName>,
    /// With what to prove who the server is; without, it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// How often the registry is looked at for what was deployed elsewhere, and each file that may be replaced.
    pub refresh_interval: Duration,
    /// How it ends.
    pub drain: DrainTimes,
}

/// Where models and applications are kept.
#[derive(Debug, Clone)]
pub enum Store {
    /// A folder or a `file://` URL.
    Folder(String),
    /// A bucket.
    Bucket(Bucket),
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
    /// How fast a body must arrive.
    pub body_pace: BodyPace,
}

/// What a connection may do, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Open connections; more are refused.
    pub connections_max: u32,
    /// Bytes of a request's head.
    pub header_max_bytes: u32,
    /// Headers of a request.
    pub headers_max: usize,
    /// Time for a request's head.
    pub header_timeout: Duration,
    /// Time in which a client takes nothing of an answer.
    pub write_timeout: Duration,
    /// Time between an answer and the next request.
    pub idle_timeout: Duration,
    /// Requests of one HTTP/2 connection at the same time.
    pub http2_streams_max: u32,
    /// How many more requests an HTTP/2 client may give up than it lets be answered.
    pub http2_resets_max: u32,
}

/// With what a server proves who it is, both in PEM form.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate, and those that lead from it to one that clients trust.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// How fast a body must arrive.
#[derive(Debug, Clone, Copy)]
pub struct BodyPace {
    /// Time for a body, whatever its length.
    pub timeout: Duration,
    /// Bytes that give a body a second more.
    pub rate_min_bytes: u32,
}

/// When a server does what at its end, counted from the signal that asks for it.
#[derive(Debug, Clone, Copy)]
pub struct DrainTimes {
    /// Until then it answers as before, and says that it is not ready.
    pub delay: Duration,
    /// Then it has ended, whatever is not finished.
    pub max: Duration,
}

/// As the command line has it.
impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => formatter.write_str(folder),
            Self::Bucket(bucket) => bucket.url.fmt(formatter),
        }
    }
}

impl ConnectionLimits {
    /// Headers of a request where nobody says otherwise; hyper's own limit, and the only one that costs nothing.
    pub const HEADERS_MAX: usize = 100;
}

impl BodyPace {
    /// How long a body may take of which this much has arrived.
    pub fn time(&self, n_bytes: usize) -> Duration {
        let earned = n_bytes as f64 / f64::from(self.rate_min_bytes.max(1));
        self.timeout + Duration::from_secs_f64(earned)
    }
}
