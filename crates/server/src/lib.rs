//! The HTTP face of `inference`: predictions, management of models and applications, health and metrics.
//!
//! It decides nothing about models: it turns requests into typed values, asks, and turns answers and errors into HTTP.
//! No request makes it panic or answer 5xx by its content.
//! Start reading at [`run`], then `http.rs` for the routes and what surrounds them.

mod access;
pub mod cli;
mod connections;
mod descriptors;
mod heavy;
mod http;
mod life;
mod metrics;
mod otlp;
mod serve;
mod settings;
mod signals;
mod state;
mod tls;

pub use access::{Access, AccessSettings, SecretsFileError};
pub use http::router;
pub use serve::{ListenError, run, start};
pub use settings::{BodyPace, ConnectionLimits, DrainTimes, Limits, Settings, Store, TlsFiles};
pub use signals::{AccessLevel, AccessLog, Share, ShareError, Signals, Traces};
pub use state::App;
