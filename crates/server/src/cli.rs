//! The command line of `server`, and the environment behind it.

pub mod access;
pub mod bucket;
pub mod connections;
pub mod drain;
mod signals;
pub mod tls;

use std::{
    env,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use clap::{ArgAction, Parser};

use formats::name::ApplicationName;

use crate::{Limits, Settings};

use access::AccessArgs;
use bucket::{BucketArgs, StoreError};
use connections::ConnectionArgs;
use drain::DrainArgs;
use tls::TlsArgs;

pub use signals::SignalArgs;

/// Serve the applications of a registry over HTTP.
#[derive(Debug, Parser)]
#[command(name = "server", version)]
pub struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "LISTEN_ADDRESS",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// Folder or `file://` URL with models and applications, created where it is missing; or `s3://BUCKET/PREFIX`, with
    /// credentials from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
    #[arg(long, env = "REGISTRY", default_value = "registry", value_name = "DIR|URL")]
    pub registry: String,

    /// Longest predict body or JSON document
    #[arg(long, env = "BODY_MAX_BYTES", default_value = "16777216", value_name = "BYTES")]
    pub body_max_bytes: NonZeroU32,

    /// Longest artifact that may be uploaded
    #[arg(long, env = "ARTIFACT_MAX_BYTES", default_value = "268435456", value_name = "BYTES")]
    pub artifact_max_bytes: NonZeroU32,

    /// Most images in one request
    #[arg(long, env = "IMAGES_MAX", default_value = "1000", value_name = "N")]
    pub images_max: NonZeroU32,

    /// Predict bodies up to this length are worked on where they were read, longer ones on a blocking thread
    // Some tens of images as clients write them. Of less, a hop to another thread and back would be a good part of the
    // work; during more, the other connections of the same thread would wait for longer than their own requests take.
    #[arg(long, env = "INLINE_MAX_BYTES", default_value = "262144", value_name = "BYTES")]
    pub inline_max_bytes: u32,

    /// Most requests worked on at the same time; more are answered 503
    #[arg(long, env = "REQUESTS_IN_FLIGHT_MAX", default_value = "512", value_name = "N")]
    pub requests_in_flight_max: NonZeroU32,

    /// Longest time for one request, in milliseconds; more is answered 504
    #[arg(long, env = "REQUEST_TIMEOUT_MS", default_value = "30000", value_name = "MS")]
    pub request_timeout_ms: NonZeroU64,

    /// How often to look for what was deployed by others on the same registry, in milliseconds
    #[arg(long, env = "REFRESH_INTERVAL_MS", default_value = "1000", value_name = "MS")]
    pub refresh_interval_ms: NonZeroU64,

    /// Application that answers `/invocations` where the client names none; without it, the only one that is deployed
    #[arg(long, env = "INVOCATIONS_APPLICATION", value_name = "NAME")]
    pub invocations_application: Option<ApplicationName>,

    #[command(flatten)]
    pub bucket: BucketArgs,

    #[command(flatten)]
    pub connections: ConnectionArgs,

    #[command(flatten)]
    pub tls: TlsArgs,

    #[command(flatten)]
    pub drain: DrainArgs,

    #[command(flatten)]
    pub signals: SignalArgs,

    #[command(flatten)]
    pub access: AccessArgs,

    /// Log more; twice logs everything
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Args {
    /// What the server is told.
    ///
    /// Errors: a bucket of which not enough is known to reach it.
    pub fn settings(self) -> Result<Settings, StoreError> {
        Ok(Settings {
            listen: self.listen,
            store: self.bucket.store(self.registry, variable)?,
            limits: Limits {
                body_max_bytes: self.body_max_bytes.get() as usize,
                artifact_max_bytes: self.artifact_max_bytes.get() as usize,
                images_max: self.images_max.get() as usize,
                inline_max_bytes: self.inline_max_bytes as usize,
                requests_in_flight_max: self.requests_in_flight_max.get() as usize,
                request_timeout: Duration::from_millis(self.request_timeout_ms.get()),
                body_pace: self.connections.body_pace(),
            },
            access: self.access.settings(),
            connections: self.connections.limits(),
            invocations: self.invocations_application,
            tls: self.tls.files(),
            signals: self.signals.signals(),
            refresh_interval: Duration::from_millis(self.refresh_interval_ms.get()),
            drain: self.drain.times(),
        })
    }
}

/// A variable that has no flag.
#[expect(
    clippy::disallowed_methods,
    reason = "clap takes no variable without a flag, and every user of a machine reads its command lines"
)]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    /// Other programs of the machine are told of buckets by the same variables, some of them with nothing in them.
    #[test]
    fn a_folder_is_served_whatever_is_said_of_buckets() {
        let flags = ["--bucket-endpoint=", "--bucket-region=", "--bucket-certificates="];
        let args = Args::try_parse_from(["server"].into_iter().chain(flags)).unwrap();
        assert_eq!(args.settings().unwrap().store.to_string(), "registry");
    }

    #[test]
    fn numbers_that_would_make_no_sense_are_refused() {
        for arguments in [
            ["server", "--images-max=0"],
            ["server", "--request-timeout-ms=0"],
            ["server", "--requests-in-flight-max=many"],
            ["server", "--body-max-bytes=-1"],
            ["server", "--listen=8080"],
            ["server", "--connections-max=0"],
            ["server", "--header-timeout-ms=0"],
        ] {
            assert!(Args::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }
}
