//! What the server counts, for Prometheus. Labels are names of what is deployed and statuses, so a client cannot make
//! their number grow.

use std::{fmt, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use formats::{name::ApplicationName, version::ModelVersion};
use inference::Applications;

use crate::App;

/// The text format that [`Metrics::render`] writes.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the latency histogram, in seconds: a single image takes some tens of microseconds, a thousand of
/// them some tens of milliseconds, an upload up to seconds.
const BUCKETS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0,
];

/// What the gateway notes on its answer, so that the layer that counts can read it.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    /// The application that was asked; it exists.
    pub(crate) application: ApplicationName,
    /// Which version answered, if one did.
    pub(crate) version: Option<ModelVersion>,
    /// Images in the answer.
    pub(crate) n_images: u64,
}

/// All counters of a server.
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    images: Family<ImageLabels, Counter>,
    in_flight: Gauge,
    registry: Registry,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    application: String,
    version: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ImageLabels {
    application: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApplicationLabels {
    application: String,
}

impl Metrics {
    pub(crate) fn new(applications: Arc<Applications>) -> Self {
        let mut registry = Registry::with_prefix("slipway");
        let requests = Family::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        registry.register_with_unit("request", "Time from headers to answer", Unit::Seconds, seconds.clone());
        let images = Family::default();
        registry.register("images", "Images that were classified", images.clone());
        let in_flight = Gauge::default();
        registry.register(
            "requests_in_flight",
            "Requests that are being worked on",
            in_flight.clone(),
        );
        registry.register_collector(Box::new(Deployments(applications)));
        Self {
            requests,
            seconds,
            images,
            in_flight,
            registry,
        }
    }

    /// Requests that are being worked on.
    pub(crate) fn n_in_flight(&self) -> i64 {
        self.in_flight.get()
    }

    /// All counters as text.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("writing into a string does not fail");
        text
    }

    fn count(&self, route: String, response: &Response, start: Instant) {
        let served = response.extensions().get::<Served>();
        let application = served.map(|served| served.application.to_string()).unwrap_or_default();
        let version = served
            .and_then(|served| served.version.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default();
        if let Some(n_images) = served.map(|served| served.n_images).filter(|n_images| *n_images > 0) {
            let labels = ImageLabels {
                application: application.clone(),
                version: version.clone(),
            };
            self.images.get_or_create(&labels).inc_by(n_images);
        }
        self.seconds
            .get_or_create(&RouteLabels { route: route.clone() })
            .observe(start.elapsed().as_secs_f64());
        let status = response.status().as_u16();
        self.requests
            .get_or_create(&RequestLabels {
                route,
                application,
                version,
                status,
            })
            .inc();
    }
}

/// Counts one request.
pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let in_flight = InFlight::new(&app.metrics.in_flight);
    let response = next.run(request).await;
    drop(in_flight);
    app.metrics.count(route, &response, start);
    response
}

/// One request in the gauge; a request whose client hangs up leaves it, too.
struct InFlight<'a>(&'a Gauge);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What is deployed, read when somebody asks.
struct Deployments(Arc<Applications>);

impl fmt::Debug for Deployments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Deployments")
    }
}

impl Collector for Deployments {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Self(applications) = self;
        let deploys = ConstCounter::<u64>::new(applications.n_swaps());
        let help = "Revisions that began to answer.";
        deploys.encode(encoder.encode_descriptor("deploys", help, None, deploys.metric_type())?)?;
        let mut revisions = encoder.encode_descriptor(
            "application_revision",
            "The revision that answers.",
            None,
            ConstGauge::<i64>::new(0).metric_type(),
        )?;
        for application in applications.deployed() {
            let labels = ApplicationLabels {
                application: application.name().to_string(),
            };
            let revision = ConstGauge::<i64>::new(application.number().get().into());
            revision.encode(revisions.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
