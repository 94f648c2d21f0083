//! Flags of what the server tells about single requests.

use std::num::NonZeroU32;

use axum::http::Uri;
use clap::Args;
use console::LogFormat;

use crate::signals::{AccessLevel, AccessLog, Share, Signals, Traces};

/// What the server tells about single requests.
#[derive(Debug, Args)]
pub struct SignalArgs {
    /// How the lines of the log look: `text` or `json`
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Which requests get a line in the log
    #[arg(long, env = "ACCESS_LOG", default_value = "off", value_name = "LEVEL")]
    pub access_log: AccessLevel,

    /// Of the requests that went well, the share that gets a line; a request id is always in it or never
    #[arg(long, env = "ACCESS_LOG_SAMPLE", default_value = "1", value_name = "0..1")]
    pub access_log_sample: Share,

    /// Base URL of an OpenTelemetry collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", value_parser = endpoint)]
    pub otlp_endpoint: Option<String>,

    /// Of the requests whose caller sends no trace context, the share that is recorded as a span
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value = "1", value_name = "0..1")]
    pub otlp_sample: Share,

    /// Most spans that wait for the collector; more are dropped
    #[arg(long, env = "OTEL_BSP_MAX_QUEUE_SIZE", default_value = "2048", value_name = "N")]
    pub otlp_queue_max: NonZeroU32,

    /// The name under which spans appear
    #[arg(long, env = "OTEL_SERVICE_NAME", default_value = "slipway", value_name = "NAME")]
    pub otlp_service_name: String,
}

impl SignalArgs {
    pub(crate) fn signals(self) -> Signals {
        // OpenTelemetry wants an empty variable to be the same as none.
        let base = self.otlp_endpoint.filter(|base| !base.is_empty());
        Signals {
            access_log: AccessLog {
                level: self.access_log,
                sample: self.access_log_sample,
            },
            traces: base.map(|base| Traces {
                url: format!("{}/v1/traces", base.trim_end_matches('/')),
                sample: self.otlp_sample,
                queue_max: self.otlp_queue_max.get() as usize,
                service_name: self.otlp_service_name,
            }),
        }
    }
}

fn endpoint(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>();
    let is_base = |uri: Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none();
    if text.is_empty() || uri.is_ok_and(is_base) {
        Ok(text.to_owned())
    } else {
        Err("expected `http://host:port` or `https://host:port`, without a query".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::Args;

    fn url(endpoint: &str) -> Option<Option<String>> {
        let args = Args::try_parse_from(["server", "--otlp-endpoint", endpoint]).ok()?;
        Some(args.settings().unwrap().signals.traces.map(|traces| traces.url))
    }

    #[test]
    fn an_endpoint_is_the_base_of_a_url() {
        let expected = |url: &str| Some(Some(url.to_owned()));
        assert_eq!(url("http://c:4318"), expected("http://c:4318/v1/traces"));
        assert_eq!(url("https://c/otlp/"), expected("https://c/otlp/v1/traces"));
        assert_eq!(url(""), Some(None), "an empty variable is none");
        for wrong in [
            "localhost:4317",
            "/v1/traces",
            "grpc://c:4317",
            "http://c/?a=b",
            "http:// c",
        ] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
    }
}
