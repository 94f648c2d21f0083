//! Requests that come whole, others, and both over the same connection.

use std::{io::Write, net::TcpStream, time::Duration};

use server::{ConnectionLimits, DrainTimes, Settings};

use crate::{
    connections::{answer, ask},
    life::{PATIENCE, Running, read_all, settings, store},
    support::{PREDICT, connection_limits, images},
};

fn question() -> String {
    let body = images(1, "0");
    let length = body.len();
    format!(
        "POST {PREDICT} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn is_predicted(stream: &mut TcpStream) -> bool {
    let answer = answer(stream);
    answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("x-model-version: mnist:1") && answer.ends_with("}")
}

#[test]
fn a_connection_may_change_how_its_requests_come() {
    let folder = store();
    let server = Running::start_with(settings(&folder));
    let whole = question();
    let (begin, end) = whole.split_at(whole.len() - 5);
    let mut stream = server.connect();
    stream.write_all(whole.as_bytes()).unwrap();
    assert!(is_predicted(&mut stream));
    // Some at once.
    stream.write_all(whole.repeat(3).as_bytes()).unwrap();
    assert!((0..3).all(|_| is_predicted(&mut stream)));
    // What is wrong is told, and ends nothing.
    let wrong = whole.replace("\"imgs\"", "\"imgz\"");
    stream.write_all(wrong.as_bytes()).unwrap();
    assert!(answer(&mut stream).starts_with("HTTP/1.1 400 Bad Request\r\n"));
    // One, and a part of another.
    stream.write_all([&whole, begin].concat().as_bytes()).unwrap();
    assert!(is_predicted(&mut stream));
    stream.write_all(end.as_bytes()).unwrap();
    assert!(is_predicted(&mut stream));
    // Whole again, and of another kind.
    stream.write_all(whole.as_bytes()).unwrap();
    assert!(is_predicted(&mut stream));
    assert!(ask(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    let last = whole.replace("host: test", "host: test\r\nconnection: close");
    stream.write_all(last.as_bytes()).unwrap();
    assert!(read_all(&mut stream).contains("connection: close\r\n"));
    let line =
        "slipway_requests_total{route=\"gateway\",application=\"mnist-app\",version=\"mnist:1\",status=\"200\"} 8\n";
    let metrics = server.get("/metrics");
    assert!(metrics.contains(line), "{metrics}");
    server.stop().join().unwrap().unwrap();
}

#[test]
fn limits_hold_between_whole_requests() {
    const SHORT: Duration = Duration::from_millis(60);
    let folder = store();
    let server = Running::start_with(Settings {
        connections: ConnectionLimits {
            header_timeout: SHORT,
            idle_timeout: 2 * SHORT,
            ..connection_limits()
        },
        ..settings(&folder)
    });
    // No other request; a part of one.
    for (rest, reason) in [("", "idle_time_out"), ("POST", "header_time_out")] {
        let mut stream = server.connect();
        stream.write_all(question().as_bytes()).unwrap();
        assert!(is_predicted(&mut stream));
        stream.write_all(rest.as_bytes()).unwrap();
        assert_eq!(read_all(&mut stream), "");
        let line = format!("slipway_refusals_total{{reason=\"{reason}\"}} 1\n");
        assert!(server.get("/metrics").contains(&line), "{reason}");
    }
    server.stop().join().unwrap().unwrap();
}

#[test]
fn the_last_answer_of_a_connection_says_so() {
    let folder = store();
    let server = Running::start_with(Settings {
        drain: DrainTimes {
            delay: Duration::from_millis(200),
            max: PATIENCE,
        },
        ..settings(&folder)
    });
    let mut stream = server.connect();
    let mut ask = || {
        stream.write_all(question().as_bytes()).unwrap();
        answer(&mut stream)
    };
    assert!(!ask().contains("connection:"));
    let stopping = server.stop();
    // One that asks again at once is never cut off.
    while !ask().contains("connection: close\r\n") {}
    assert_eq!(read_all(&mut stream), "");
    stopping.join().unwrap().unwrap();
}
