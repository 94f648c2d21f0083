//! What the program tells about single requests: lines of its log, and spans for a collector.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use test_support::{OnDemand, Python, Running, Workspace, patience};

use crate::{
    life::store,
    support::{PREDICT, images},
};

const PATIENCE: Duration = Duration::from_secs(20);
const TRACE_PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The program itself, on a registry with `mnist-app`.
struct Program {
    running: Running,
    address: String,
    _folder: TempDir,
}

impl Program {
    fn start(flags: &[&str]) -> Self {
        let folder = store();
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(["--listen", "127.0.0.1:0", "--registry", folder.path().to_str().unwrap()]);
        let running = Running::start(command.args(flags));
        let address = patience("the address", PATIENCE, || {
            let log = running.stderr();
            let (_, rest) = log.split_once("listening on http://")?;
            Some(rest.split_once(',')?.0.to_owned())
        });
        let program = Self {
            running,
            address,
            _folder: folder,
        };
        patience("a ready server", PATIENCE, || {
            program.ask("GET /readyz", "", "").contains(" 200 OK").then_some(())
        });
        program
    }

    /// Sends a request and returns the whole answer; headers end with a line break each.
    fn ask(&self, line: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        let head =
            format!("{line} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn predict(&self, headers: &str, body: &str) -> String {
        let line = format!("POST {PREDICT}?token=planted");
        self.ask(&line, &format!("content-type: application/json\r\n{headers}"), body)
    }

    /// The JSON line with this request id, once it is there.
    fn line(&self, request_id: &str) -> Value {
        patience("a line of the log", PATIENCE, || {
            let lines = self.running.stderr();
            let mut lines = lines
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.find(|line| line["request_id"] == request_id)
        })
    }

    fn logged(&self, request_id: &str) -> bool {
        self.running
            .stderr()
            .contains(&format!("\"request_id\":\"{request_id}\""))
    }
}

#[test]
fn a_request_has_a_line_with_everything_but_its_contents() {
    let program = Program::start(&["--log-format", "json", "--access-log", "all"]);
    let body = images(2, "0.125");
    let headers = format!("x-request-id: one\r\ntraceparent: {TRACE_PARENT}\r\nauthorization: Bearer planted\r\n");
    let answer = program.predict(&headers, &body);
    assert!(answer.contains("x-request-id: one\r\n"), "{answer}");
    let line = program.line("one");
    for (key, expected) in [
        ("level", Value::from("INFO")),
        ("target", "access".into()),
        ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736".into()),
        ("method", "POST".into()),
        ("route", "gateway".into()),
        ("status", 200.into()),
        ("application", "mnist-app".into()),
        ("version", "mnist:1".into()),
        ("images", 2.into()),
        ("received_bytes", body.len().into()),
        ("sent_bytes", answer.split_once("\r\n\r\n").unwrap().1.len().into()),
    ] {
        assert_eq!(line[key], expected, "{key} in {line}");
    }
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");

    program.ask("GET /planted", "x-request-id: two\r\n", "");
    let line = program.line("two");
    assert_eq!((&line["status"], &line["route"]), (&404.into(), &"none".into()));
    assert!(
        line.get("trace_id").is_none() && line.get("application").is_none(),
        "{line}"
    );
    let log = program.running.stderr();
    assert!(!log.contains("planted") && !log.contains("0.125"), "{log}");
}

#[test]
fn what_goes_wrong_is_logged_whatever_the_share() {
    let program = Program::start(&[
        "--log-format",
        "json",
        "--access-log",
        "all",
        "--access-log-sample",
        "0",
    ]);
    assert!(
        program
            .predict("x-request-id: good\r\n", &images(1, "0"))
            .contains(" 200 OK")
    );
    assert!(program.predict("x-request-id: bad\r\n", "{").contains(" 400 Bad"));
    program.line("bad");
    assert!(!program.logged("good"));
}

#[test]
fn nothing_is_logged_of_requests_unless_it_is_asked_for() {
    let program = Program::start(&["--log-format", "json"]);
    program.predict("x-request-id: bad\r\n", "{");
    program.running.terminate();
    patience("the last line", PATIENCE, || {
        program
            .running
            .stderr()
            .contains("\"message\":\"stopped\"")
            .then_some(())
    });
    assert!(!program.logged("bad"));
}

#[test]
fn lines_for_people_say_the_same() {
    let program = Program::start(&["--access-log", "errors"]);
    program.predict("x-request-id: bad\r\n", "{");
    let log = patience("a line of the log", PATIENCE, || {
        Some(program.running.stderr()).filter(|log| log.contains("request_id=\"bad\""))
    });
    assert!(log.contains("POST gateway answered 400 in "), "{log}");
    assert!(log.contains("application=\"mnist-app\""), "{log}");
}

/// A collector that answers every message with `status` and hands on its path and body.
fn collector(status: &'static str) -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut reader = BufReader::new(connection.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let head = head.to_ascii_lowercase();
            assert!(head.contains("content-type: application/json"), "{head}");
            let (_, length) = head.split_once("content-length: ").unwrap();
            let mut body = vec![0; length.split_once("\r\n").unwrap().0.parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            // The test may have heard enough.
            let _ = tell.send((path, serde_json::from_slice(&body).unwrap()));
        }
    });
    (url, told)
}

#[test]
fn spans_reach_the_collector() {
    let (url, told) = collector("200 OK");
    // Only what a caller asks for, so that the questions whether the server is ready are no spans.
    let program = Program::start(&[
        "--otlp-endpoint",
        &url,
        "--otlp-sample",
        "0",
        "--otlp-service-name",
        "digits",
    ]);
    program.predict(&format!("traceparent: {TRACE_PARENT}\r\n"), &images(3, "0"));
    program.predict(
        &format!("traceparent: {}0\r\n", TRACE_PARENT.trim_end_matches('1')),
        "{",
    );
    program.predict(&format!("traceparent: {TRACE_PARENT}\r\n"), "{");
    program.running.terminate();
    let mut spans = Vec::new();
    while spans.len() < 2 {
        let (path, message) = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(path, "/v1/traces");
        let resource = &message["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "digits");
        spans.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().clone());
    }
    assert_eq!(spans.len(), 2, "{spans:?}");
    for (span, status, version, n_images) in [(&spans[0], "200", "mnist:1", "3"), (&spans[1], "400", "", "0")] {
        assert_eq!(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(span["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
        assert_eq!((&span["name"], &span["kind"]), (&"POST gateway".into(), &2.into()));
        let time = |key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
        let (start, end) = (time("startTimeUnixNano"), time("endTimeUnixNano"));
        assert!(start < end && end - start < 20_000_000_000, "{span}");
        let attributes = span["attributes"].as_array().unwrap();
        let attribute = |key: &str| &attributes.iter().find(|attribute| attribute["key"] == key).unwrap()["value"];
        assert_eq!(attribute("http.response.status_code")["intValue"], status);
        assert_eq!(attribute("slipway.version")["stringValue"], version);
        assert_eq!(attribute("slipway.images")["intValue"], n_images);
        assert_eq!(
            span["status"]["code"], 0,
            "a mistake of the client is no error of the server"
        );
    }
    assert_ne!(spans[0]["spanId"], spans[1]["spanId"]);
}

#[test]
fn a_collector_that_is_away_or_refuses_costs_spans_and_nothing_else() {
    // A port at which nobody listens and that no other test is given: the near end of a connection.
    let far_end = TcpListener::bind("127.0.0.1:0").unwrap();
    let near_end = TcpStream::connect(far_end.local_addr().unwrap()).unwrap();
    let away = format!("http://{}", near_end.local_addr().unwrap());
    let (refuses, _told) = collector("503 Service Unavailable");
    for url in [&away, &refuses] {
        let program = Program::start(&["--otlp-endpoint", url, "--otlp-sample", "0"]);
        let answer = program.predict(&format!("traceparent: {TRACE_PARENT}\r\n"), &images(1, "0"));
        assert!(answer.contains(" 200 OK"), "{answer}");
        patience("a dropped span", PATIENCE, || {
            let dropped = "slipway_spans_total{outcome=\"dropped\"} 1\n";
            program.ask("GET /metrics", "", "").contains(dropped).then_some(())
        });
        assert!(
            program.running.stderr().contains("the collector does not take spans"),
            "{}",
            program.running.stderr()
        );
    }
}

#[test]
fn a_message_is_in_order_by_the_schema_of_opentelemetry() {
    if !OnDemand::Interop.is_asked_for() {
        return;
    }
    let (url, told) = collector("200 OK");
    let program = Program::start(&["--otlp-endpoint", &url, "--otlp-sample", "0"]);
    program.predict(&format!("traceparent: {TRACE_PARENT}\r\n"), &images(1, "0"));
    let (_, message) = told.recv_timeout(PATIENCE).unwrap();
    let workspace = Workspace::new();
    let file = workspace.write("message.json", message.to_string().as_bytes());
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/signals");
    let python = Python::with(&here.join("otlp.txt"));
    let spans = python.run(&workspace, &here.join("read_otlp.py"), &[file.to_str().unwrap()]);
    assert_eq!(spans, "POST gateway 2 6 True\n");
}
