//! What the server counts, for Prometheus. Labels are names of what is deployed and words of ours, so a client cannot
//! make their number grow. Counting takes a few atomic additions: no lock, no allocation.

mod counters;
mod in_flight;
mod process;
mod reason;
mod text;
mod traffic;
mod usage;

use std::{sync::Arc, time::Duration};

use axum::{body::HttpBody, response::Response};
use inference::Applications;

use crate::{
    http::RouteClass,
    metrics::{
        counters::{Counter, Histogram, Statuses},
        text::{Kind, Text},
        traffic::AllTraffic,
    },
};

pub(crate) use in_flight::InFlight;
pub(crate) use reason::Reason;
pub(crate) use traffic::{Parts, Subject, Traffic};
pub(crate) use usage::{Spent, Usage};

/// The text format that [`Metrics::render`] writes: the classic one, which every scraper and `promtool` take.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What whoever predicts notes on its answer, so that whoever counts and logs can read it.
#[derive(Clone)]
pub(crate) struct Served {
    /// Whose counters the answer belongs to.
    pub(crate) traffic: Arc<Traffic>,
    /// Images in the answer.
    pub(crate) n_images: u64,
    /// How long its parts took, where there is an answer.
    pub(crate) parts: Option<Parts>,
}

/// All counters of a server.
pub(crate) struct Metrics {
    /// Requests that are being worked on.
    pub(crate) in_flight: InFlight,
    /// Connections that are open.
    pub(crate) connections: InFlight,
    accepted: Counter,
    accept_errors: Counter,
    applications: Arc<Applications>,
    started_at_ms: u64,
    by_class: [OfClass; RouteClass::ALL.len()],
    traffic: AllTraffic,
    refusals: [Counter; Reason::NAMES.len()],
    received_bytes: Counter,
    sent_bytes: Counter,
    pub(crate) spans: Arc<SpanCounts>,
}

/// What became of spans.
#[derive(Default)]
pub(crate) struct SpanCounts {
    sent: Counter,
    dropped: Counter,
}

/// What is counted for each class of routes.
#[derive(Default)]
struct OfClass {
    /// Answers that belong to no application.
    statuses: Statuses,
    seconds: Histogram,
}

impl Metrics {
    /// Everything zero, in a process that started at `started_at_ms` since 1970.
    pub(crate) fn new(applications: Arc<Applications>, started_at_ms: u64) -> Self {
        Self {
            in_flight: InFlight::default(),
            connections: InFlight::default(),
            accepted: Counter::default(),
            accept_errors: Counter::default(),
            applications,
            started_at_ms,
            by_class: Default::default(),
            traffic: AllTraffic::default(),
            refusals: Default::default(),
            received_bytes: Counter::default(),
            sent_bytes: Counter::default(),
            spans: Arc::default(),
        }
    }

    /// Counts a request or a connection that was turned away.
    pub(crate) fn refuse(&self, reason: Reason) {
        self.refusals[reason as usize].add(1);
    }

    /// Counts a connection that was accepted.
    pub(crate) fn accepted(&self) {
        self.accepted.add(1);
    }

    /// Counts a connection that the operating system could not give.
    pub(crate) fn accept_failed(&self) {
        self.accept_errors.add(1);
    }

    /// Counts bytes of a body that was read.
    pub(crate) fn received(&self, n_bytes: usize) {
        self.received_bytes.add(n_bytes as u64);
    }

    /// The counters that the answer belongs to.
    pub(crate) fn traffic(&self, subject: Subject<'_>) -> Arc<Traffic> {
        self.traffic.of(subject)
    }

    /// What was asked for since the start, by application and version, in the order of their names.
    pub(crate) fn usage(&self) -> Vec<Usage> {
        usage::of(&self.traffic.all())
    }

    /// Counts an answer, and the refusal that it is, if it is one.
    pub(crate) fn count(&self, class: RouteClass, response: &Response, served: Option<&Served>, duration: Duration) {
        let of_class = &self.by_class[class as usize];
        of_class.seconds.observe(duration);
        match served {
            Some(served) => {
                let status = response.status();
                served.traffic.count(status, served.n_images, duration, served.parts);
            }
            None => of_class.statuses.count(response.status()),
        }
        if let Some(reason) = response.extensions().get() {
            self.refuse(*reason);
        }
        self.sent_bytes.add(response.body().size_hint().lower());
    }

    /// All counters as text.
    pub(crate) fn render(&self) -> String {
        let mut text = Text::default();
        self.render_requests(&mut text);
        self.render_limits(&mut text);
        self.render_connections(&mut text);
        self.render_deployed(&mut text);
        process::render(&mut text, self.started_at_ms);
        text.finish()
    }

    fn render_requests(&self, text: &mut Text) {
        let name = "slipway_requests_total";
        text.family(name, Kind::Counter, "Requests that were answered.");
        for (class, of_class) in RouteClass::ALL.iter().zip(&self.by_class) {
            for (status, n_requests) in of_class.statuses.counted() {
                let labels = [
                    ("route", class.name()),
                    ("application", ""),
                    ("version", ""),
                    ("status", status),
                ];
                text.sample(name, &labels, n_requests);
            }
        }
        let all_traffic = self.traffic.all();
        for traffic in &all_traffic {
            for (status, n_requests) in traffic.statuses.counted() {
                let (application, version) = traffic.names();
                let labels = [
                    ("route", traffic.class().name()),
                    ("application", application),
                    ("version", version),
                    ("status", status),
                ];
                text.sample(name, &labels, n_requests);
            }
        }
        let name = "slipway_images_total";
        text.family(name, Kind::Counter, "Images that were classified.");
        for usage in usage::of(&all_traffic).iter().filter(|usage| !usage.version.is_empty()) {
            let labels = [("application", usage.application.as_str()), ("version", &usage.version)];
            text.sample(name, &labels, usage.n_images);
        }
        let name = "slipway_request_duration_seconds";
        text.family(name, Kind::Histogram, "Time from headers to answer.");
        for (class, of_class) in RouteClass::ALL.iter().zip(&self.by_class) {
            of_class.seconds.render(text, name, ("route", class.name()));
        }
    }

    fn render_limits(&self, text: &mut Text) {
        let name = "slipway_requests_in_flight";
        text.family(name, Kind::Gauge, "Requests that are being worked on.");
        text.sample(name, &[], self.in_flight.n_requests());
        let name = "slipway_refusals_total";
        text.family(
            name,
            Kind::Counter,
            "Requests and connections that were turned away at a limit.",
        );
        for (reason, n_refusals) in Reason::NAMES.iter().zip(&self.refusals) {
            text.sample(name, &[("reason", reason)], n_refusals.get());
        }
        let name = "slipway_received_bytes_total";
        text.family(name, Kind::Counter, "Bytes of request bodies that were read.");
        text.sample(name, &[], self.received_bytes.get());
        let name = "slipway_sent_bytes_total";
        text.family(name, Kind::Counter, "Bytes of the bodies of answers.");
        text.sample(name, &[], self.sent_bytes.get());
        let name = "slipway_spans_total";
        text.family(name, Kind::Counter, "Spans for the collector, by what became of them.");
        text.sample(name, &[("outcome", "sent")], self.spans.sent.get());
        text.sample(name, &[("outcome", "dropped")], self.spans.dropped.get());
    }

    fn render_connections(&self, text: &mut Text) {
        let name = "slipway_connections";
        text.family(name, Kind::Gauge, "Connections that are open.");
        text.sample(name, &[], self.connections.n_requests());
        let name = "slipway_connections_accepted_total";
        text.family(name, Kind::Counter, "Connections that were accepted.");
        text.sample(name, &[], self.accepted.get());
        let name = "slipway_accept_errors_total";
        text.family(
            name,
            Kind::Counter,
            "Connections that the operating system could not give.",
        );
        text.sample(name, &[], self.accept_errors.get());
    }

    fn render_deployed(&self, text: &mut Text) {
        let name = "slipway_swaps_total";
        text.family(name, Kind::Counter, "Revisions that began to answer.");
        text.sample(name, &[], self.applications.n_swaps());
        let name = "slipway_application_revision";
        text.family(name, Kind::Gauge, "The revision that answers.");
        for application in self.applications.deployed() {
            let labels = [("application", application.name().as_str())];
            text.sample(name, &labels, application.number());
        }
        let name = "slipway_application_broken";
        let help = "The newest revision, where it should answer and cannot.";
        text.family(name, Kind::Gauge, help);
        for (application, broken) in self.applications.broken() {
            text.sample(name, &[("application", application.as_str())], broken.revision);
        }
        let name = "slipway_registry_reachable";
        let help = "Whether the registry answered when it was looked at last.";
        text.family(name, Kind::Gauge, help);
        text.sample(name, &[], u8::from(self.applications.is_registry_reachable()));
    }
}

impl SpanCounts {
    /// Counts spans that the collector took.
    pub(crate) fn sent(&self, n_spans: usize) {
        self.sent.add(n_spans as u64);
    }

    /// Counts spans for which there was no room, or which the collector did not take.
    pub(crate) fn dropped(&self, n_spans: usize) {
        self.dropped.add(n_spans as u64);
    }
}
