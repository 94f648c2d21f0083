//! The limits of connections, each at a real socket: who exceeds one is cut, and nobody else notices.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use server::{BodyPace, ConnectionLimits, Limits, Settings};
use test_support::patience;

use crate::{
    http2::{self, Http2},
    life::{PATIENCE, Running, read_all, settings, store},
    support::{PREDICT, connection_limits, images, limits},
};

const SHORT: Duration = Duration::from_millis(60);

/// A server with these limits of connections.
fn start(folder: &TempDir, connections: ConnectionLimits) -> Running {
    Running::start_with(Settings {
        connections,
        ..settings(folder)
    })
}

fn has_cut(server: &Running, reason: &str, n: usize) -> bool {
    let line = format!("slipway_refusals_total{{reason=\"{reason}\"}} {n}\n");
    server.get("/metrics").contains(&line)
}

/// Sends one byte after the other until the server closes, and says what it answered.
fn dribble(stream: &mut TcpStream, byte: u8) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let end = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while Instant::now() < end {
        // The server may have closed already; what it said can be read all the same.
        let _ = stream.write_all(&[byte]);
        match stream.read(&mut buffer) {
            Ok(0) => return String::from_utf8(answer).unwrap(),
            Ok(n) => answer.extend_from_slice(&buffer[..n]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return String::from_utf8(answer).unwrap(),
        }
    }
    panic!("the server does not close")
}

/// One request and its answer on a connection that stays open.
pub(crate) fn ask(stream: &mut TcpStream) -> String {
    ask_for(stream, "/livez")
}

/// The same for any path.
pub(crate) fn ask_for(stream: &mut TcpStream, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    answer(stream)
}

#[test]
fn a_head_that_does_not_come_in_time_ends_the_connection() {
    let folder = store();
    let server = start(
        &folder,
        ConnectionLimits {
            header_timeout: SHORT,
            ..connection_limits()
        },
    );
    // Nothing at all; a part of what might be HTTP/2; the beginning of a head; a head that never ends.
    for first in ["", "PRI", "GET /livez HTTP/1.1\r\nhost: t"] {
        let mut stream = server.connect();
        stream.write_all(first.as_bytes()).unwrap();
        assert_eq!(read_all(&mut stream), "");
    }
    let mut stream = server.connect();
    stream.write_all(b"GET /livez HTTP/1.1\r\nx: ").unwrap();
    assert_eq!(dribble(&mut stream, b'x'), "");
    // The same after an answer.
    let mut stream = server.connect();
    ask(&mut stream);
    stream.write_all(b"GET").unwrap();
    assert_eq!(dribble(&mut stream, b'T'), "");
    assert!(has_cut(&server, "header_time_out", 5));
    server.stop().join().unwrap().unwrap();
}

#[test]
fn an_http2_client_without_a_request_is_cut_too() {
    let folder = store();
    let server = start(
        &folder,
        ConnectionLimits {
            header_timeout: SHORT,
            ..connection_limits()
        },
    );
    let mut client = Http2::open(server.connect(), &[]);
    while client.settle() {}
    assert!(has_cut(&server, "header_time_out", 1));
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_connection_without_further_requests_is_closed() {
    let folder = store();
    let server = start(
        &folder,
        ConnectionLimits {
            idle_timeout: SHORT,
            ..connection_limits()
        },
    );
    let mut http1 = server.connect();
    ask(&mut http1);
    ask(&mut http1);
    assert_eq!(read_all(&mut http1), "");
    // Pings are no requests.
    let mut http2 = Http2::open(server.connect(), &[]);
    http2.get(1, "/livez");
    while http2.settle() {}
    assert!(has_cut(&server, "idle_time_out", 2));
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_body_must_arrive_in_time() {
    let folder = store();
    let server = Running::start_with(Settings {
        limits: Limits {
            body_pace: BodyPace {
                timeout: SHORT,
                rate_min_bytes: 10_000,
            },
            ..limits()
        },
        ..settings(&folder)
    });
    let head = format!(
        "POST {PREDICT} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n "
    );
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let silent = read_all(&mut stream);
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let slow = dribble(&mut stream, b' ');
    let expected = "{\"error\":\"Client\",\"information\":{\"message\":\"the body does not arrive in time\",\
        \"expected\":\"60 ms, and a second more for each 10000 bytes\"}}";
    for answer in [silent, slow] {
        assert!(
            answer.starts_with("HTTP/1.1 408 ") && answer.ends_with(expected),
            "{answer}"
        );
    }
    // Who is fast enough may take longer than that.
    let body = images(1, "0");
    let (mut stream, began) = (server.connect(), Instant::now());
    write!(
        stream,
        "POST {PREDICT} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n"
    )
    .unwrap();
    while began.elapsed() < 2 * SHORT {
        stream.write_all(b"64\r\n").unwrap();
        stream.write_all(&[b' '; 100]).unwrap();
        stream.write_all(b"\r\n").unwrap();
        let (_, _) = (
            stream.set_read_timeout(Some(Duration::from_millis(2))),
            stream.read(&mut [0]),
        );
    }
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).unwrap();
    let answer = read_all(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_reader_that_stops_is_dropped_and_others_do_not_notice() {
    let folder = store();
    let server = start(
        &folder,
        ConnectionLimits {
            write_timeout: SHORT,
            ..connection_limits()
        },
    );
    let mut stream = server.connect();
    // More answers than all buffers on the way can hold; nobody reads them.
    let request = b"GET /api/models/mnist/versions/1/artifact HTTP/1.1\r\nhost: test\r\n\r\n";
    stream.write_all(&request.repeat(1000)).unwrap();
    let mut other = server.connect();
    patience("the end of the reader that stopped", PATIENCE, || {
        ask(&mut other);
        has_cut(&server, "write_time_out", 1).then_some(())
    });
    // An HTTP/2 client has a way of its own to take nothing.
    let mut client = Http2::open(server.connect(), &[(http2::WINDOW, 0)]);
    client.get(1, "/livez");
    while client.settle() {}
    assert!(has_cut(&server, "write_time_out", 2));
    server.stop().join().unwrap().unwrap();
}

/// The head of the next answer, and its body after it.
pub(crate) fn answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    let length = |answer: &str| {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let length: usize = head.split_once("content-length: ")?.1.lines().next()?.parse().ok()?;
        Some(length - body.len())
    };
    while length(&answer) != Some(0) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(char::from(byte[0]));
    }
    answer
}

#[test]
fn who_is_refused_before_the_body_was_looked_at_keeps_the_connection() {
    let folder = store();
    let server = Running::start_with(Settings {
        limits: Limits {
            requests_in_flight_max: 1,
            ..limits()
        },
        ..settings(&folder)
    });
    let head = |n_bytes: usize, rest: &str| {
        format!(
            "POST {PREDICT} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {n_bytes}\r\n{rest}\r\n"
        )
    };
    let mut first = server.connect();
    first.write_all(head(100, "").as_bytes()).unwrap();
    patience("the first request to be worked on", PATIENCE, || {
        server
            .get("/metrics")
            .contains("slipway_requests_in_flight 1\n")
            .then_some(())
    });
    let mut refused = server.connect();
    for n_bytes in [1, 100, 200_000] {
        refused.write_all(head(n_bytes, "").as_bytes()).unwrap();
        refused.write_all(&vec![b' '; n_bytes]).unwrap();
        let answer = answer(&mut refused);
        assert!(answer.starts_with("HTTP/1.1 503 "), "{n_bytes}: {answer}");
        assert!(!answer.contains("connection: close"), "{n_bytes}: {answer}");
    }
    // Who asks before it sends is not told to send what nobody wants; and what is very long costs the connection.
    for (n_bytes, rest) in [(6, "expect: 100-continue\r\n"), (2 << 20, "")] {
        let mut stream = server.connect();
        stream.write_all(head(n_bytes, rest).as_bytes()).unwrap();
        let answer = read_all(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
    drop(first);
    let body = images(1, "0");
    let is_answered = patience("the place of the first request", PATIENCE, || {
        write!(refused, "{}{body}", head(body.len(), "")).unwrap();
        answer(&mut refused).starts_with("HTTP/1.1 200 ").then_some(true)
    });
    assert!(is_answered);
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_connection_beyond_the_limit_is_told_so() {
    let folder = store();
    let server = start(
        &folder,
        ConnectionLimits {
            connections_max: 2,
            ..connection_limits()
        },
    );
    let (mut first, mut second) = (server.connect(), server.connect());
    ask(&mut first);
    ask(&mut second);
    let mut third = server.connect();
    third.write_all(b"GET /livez HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let answer = read_all(&mut third);
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nretry-after: 1\r\n"),
        "{answer}"
    );
    drop(first);
    patience("a free place", PATIENCE, || {
        server.get("/livez").starts_with("HTTP/1.1 200").then_some(())
    });
    ask(&mut second);
    let metrics = server.get("/metrics");
    assert!(metrics.contains("slipway_connections 2\n"), "{metrics}");
    assert!(
        metrics.contains("slipway_refusals_total{reason=\"connections\"}"),
        "{metrics}"
    );
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_head_that_is_too_large_is_answered_431() {
    let folder = store();
    let server = start(
        &folder,
        ConnectionLimits {
            header_max_bytes: 8 << 10,
            ..connection_limits()
        },
    );
    let send = |headers: String| {
        let mut stream = server.connect();
        write!(
            stream,
            "GET /livez HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n"
        )
        .unwrap();
        read_all(&mut stream)
    };
    let long = |n: usize| format!("x: {}\r\n", "x".repeat(n));
    assert!(send(long(8000)).starts_with("HTTP/1.1 200 "));
    assert!(send(long(8200)).starts_with("HTTP/1.1 431 "));
    assert!(send("x: y\r\n".repeat(98)).starts_with("HTTP/1.1 200 "));
    assert!(send("x: y\r\n".repeat(99)).starts_with("HTTP/1.1 431 "));
    assert!(has_cut(&server, "header_too_large", 2));
    server.stop().join().unwrap().unwrap();
}

#[test]
fn an_http2_client_has_as_many_streams_as_it_may() {
    let folder = store();
    let server = start(
        &folder,
        ConnectionLimits {
            http2_streams_max: 2,
            ..connection_limits()
        },
    );
    let mut client = Http2::open(server.connect(), &[]);
    let settings = client.find(|frame| frame.kind == http2::SETTINGS).unwrap();
    let told = [&http2::STREAMS_MAX.to_be_bytes()[..], &2_u32.to_be_bytes()].concat();
    assert!(
        settings.payload.chunks(6).any(|setting| setting == told),
        "{settings:?}"
    );
    assert!(client.settle());
    for stream in [1, 3, 5] {
        client.begin(stream).unwrap();
    }
    let reset = client.find(|frame| frame.kind == http2::RST_STREAM).unwrap();
    // REFUSED_STREAM: it may be sent again.
    assert_eq!((reset.stream, &reset.payload[..]), (5, &7_u32.to_be_bytes()[..]));
    drop(client);
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_flood_of_resets_ends_the_connection() {
    let folder = store();
    let server = start(&folder, connection_limits());
    let cancel = 8_u32.to_be_bytes();
    // Slowly, so that each request has begun before it is given up.
    let mut client = Http2::open(server.connect(), &[]);
    let n_sent = (0..1000)
        .map(|n| 2 * n + 1)
        .take_while(|&stream| {
            client.begin(stream).is_ok()
                && client.settle()
                && client.send(http2::RST_STREAM, 0, stream, &cancel).is_ok()
                && client.settle()
        })
        .count();
    assert!((100..105).contains(&n_sent), "{n_sent} resets");
    // All at once.
    let mut client = Http2::open(server.connect(), &[]);
    let flood: Vec<u8> = (0..10_000)
        .map(|n| 2 * n + 1)
        .flat_map(|stream| {
            [
                http2::predict(stream),
                http2::frame(http2::RST_STREAM, 0, stream, &cancel),
            ]
            .concat()
        })
        .collect();
    let _ = client.0.write_all(&flood);
    while client.next().is_some() {}
    assert!(has_cut(&server, "http2_resets", 2));
    server.stop().join().unwrap().unwrap();
}
