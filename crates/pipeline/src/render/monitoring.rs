//! What Prometheus scrapes and warns about, and what Grafana shows.

use serde_json::{Value, json};

use super::{NAMESPACE, yaml};
use crate::executor::Scene;

/// A warning: its name, when it is given, for how long that must hold, how grave it is, and what it tells.
struct Alert {
    name: &'static str,
    expression: &'static str,
    lasts: &'static str,
    severity: &'static str,
    summary: &'static str,
}

const ALERTS: [Alert; 5] = [
    Alert {
        name: "SlipwayDown",
        expression: "absent(up{job=\"slipway-server\"} == 1)",
        lasts: "2m",
        severity: "critical",
        summary: "No server of Slipway answers.",
    },
    Alert {
        name: "SlipwayErrors",
        expression: "sum(rate(slipway_requests_total{route=\"gateway\",status=~\"5..\"}[5m])) \
                     / sum(rate(slipway_requests_total{route=\"gateway\"}[5m])) > 0.01",
        lasts: "5m",
        severity: "critical",
        summary: "More than one prediction in a hundred fails for want of the server.",
    },
    Alert {
        name: "SlipwaySlow",
        expression: "histogram_quantile(0.99, \
                     sum by (le) (rate(slipway_request_duration_seconds_bucket{route=\"gateway\"}[5m]))) > 0.25",
        lasts: "10m",
        severity: "warning",
        summary: "One prediction in a hundred takes longer than a quarter of a second.",
    },
    Alert {
        name: "SlipwayApplicationBroken",
        expression: "max by (application) (slipway_application_broken) > 0",
        lasts: "1m",
        severity: "warning",
        summary: "The newest revision of {{ $labels.application }} cannot be served; the one before it answers.",
    },
    Alert {
        name: "SlipwayRegistryGone",
        expression: "min(slipway_registry_reachable) == 0",
        lasts: "5m",
        severity: "warning",
        summary: "The registry cannot be reached: predictions go on, deliveries do not.",
    },
];

pub(super) fn files(_scene: &Scene) -> Vec<(&'static str, String)> {
    let rules = rules();
    let object = json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "slipway", "namespace": NAMESPACE},
        "spec": rules,
    });
    let dashboard = serde_json::to_string_pretty(&dashboard()).expect("its keys are text");
    vec![
        ("monitoring/service-monitor.yaml", yaml::document(&monitor())),
        ("monitoring/prometheus-rule.yaml", yaml::document(&object)),
        ("monitoring/rules.yaml", yaml::document(&rules)),
        ("monitoring/dashboard.json", dashboard + "\n"),
    ]
}

fn monitor() -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "slipway", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {
                "app.kubernetes.io/name": "slipway", "app.kubernetes.io/component": "server",
            }},
            "endpoints": [{"port": "http", "path": "/metrics", "interval": "15s"}],
        },
    })
}

fn rules() -> Value {
    let rules: Vec<Value> = ALERTS
        .iter()
        .map(|alert| {
            json!({
                "alert": alert.name,
                "expr": alert.expression,
                "for": alert.lasts,
                "labels": {"severity": alert.severity},
                "annotations": {"summary": alert.summary},
            })
        })
        .collect();
    json!({"groups": [{"name": "slipway", "rules": rules}]})
}

fn dashboard() -> Value {
    let panels = [
        (
            "Answers a second",
            "sum by (status) (rate(slipway_requests_total{route=\"gateway\"}[1m]))",
            "reqps",
        ),
        (
            "Time of an answer, 50th and 99th percentile",
            "histogram_quantile(0.99, sum by (le) (rate(slipway_request_duration_seconds_bucket{route=\"gateway\"}[5m])))",
            "s",
        ),
        (
            "Images a second by version",
            "sum by (version) (rate(slipway_images_total[1m]))",
            "ops",
        ),
        (
            "Refusals a second by reason",
            "sum by (reason) (rate(slipway_refusals_total[5m]))",
            "ops",
        ),
        (
            "Memory of a server",
            "process_resident_memory_bytes{job=\"slipway-server\"}",
            "bytes",
        ),
        (
            "Revision that answers",
            "max by (application) (slipway_application_revision)",
            "none",
        ),
    ];
    let panels: Vec<Value> = panels
        .iter()
        .enumerate()
        .map(|(index, (title, expression, unit))| {
            json!({
                "id": index + 1,
                "type": "timeseries",
                "title": title,
                "datasource": {"type": "prometheus", "uid": "${source}"},
                "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
                "gridPos": {"h": 8, "w": 12, "x": 12 * (index % 2), "y": 8 * (index / 2)},
                "targets": [{"expr": expression, "refId": "A"}],
            })
        })
        .collect();
    json!({
        "title": "Slipway",
        "uid": "slipway",
        "schemaVersion": 39,
        "editable": false,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "10s",
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "panels": panels,
    })
}
