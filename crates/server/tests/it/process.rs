//! The program itself: signals, exit codes, and what only a process of its own can run out of.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use test_support::{Running, patience};

use crate::life::{PATIENCE, store};

/// A started server and where it listens.
pub(crate) fn start(registry: &str, arguments: &[&str]) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command
        .args(["--listen", "127.0.0.1:0", "--registry", registry])
        .args(arguments);
    let server = Running::start(&mut command);
    let address = patience("the address", PATIENCE, || {
        let log = server.stderr();
        let after = log.split_once("listening on http://")?.1;
        Some(after.split_once(',')?.0.to_owned())
    });
    patience("a ready server", PATIENCE, || {
        ask(&mut connect(&address), "/readyz")
            .starts_with("HTTP/1.1 200")
            .then_some(())
    });
    (server, address)
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One request on a connection that stays open, and the beginning of its answer.
fn ask(stream: &mut TcpStream, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let mut answer = [0; 1024];
    let n = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..n]).into_owned()
}

#[test]
fn an_idle_and_a_stalled_client_hold_up_the_end_only_until_the_deadline() {
    let folder = store();
    let arguments = ["--drain-delay-ms", "0", "--drain-max-ms", "100"];
    let (server, address) = start(folder.path().to_str().unwrap(), &arguments);
    let (mut idle, mut stalled) = (connect(&address), connect(&address));
    ask(&mut idle, "/livez");
    let body = "POST /api/models/mnist/versions HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\n";
    stalled.write_all(body.as_bytes()).unwrap();
    patience("the request to begin", PATIENCE, || {
        let metrics = ask(&mut connect(&address), "/livez");
        metrics.starts_with("HTTP/1.1 200").then_some(())
    });
    server.terminate();
    let outcome = server.wait(PATIENCE);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("stopped"), "{}", outcome.stderr);
}

/// A table that grows while others wait for an answer lets all of them wait.
#[cfg(target_os = "linux")]
#[test]
fn the_table_of_descriptors_has_room_for_all_connections_from_the_start() {
    let folder = store();
    let (server, _) = start(folder.path().to_str().unwrap(), &["--connections-max", "1000"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("FDSize:")).unwrap();
    let n_places: u32 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(n_places >= 1000, "{line}");
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let folder = store();
    let arguments = ["--drain-delay-ms", "60000", "--drain-max-ms", "60000"];
    let (server, address) = start(folder.path().to_str().unwrap(), &arguments);
    server.terminate();
    let mut client = connect(&address);
    patience("the server to say no", PATIENCE, || {
        ask(&mut client, "/readyz").starts_with("HTTP/1.1 503").then_some(())
    });
    assert!(ask(&mut client, "/livez").starts_with("HTTP/1.1 200"));
    server.interrupt();
    assert_eq!(server.wait(Duration::from_secs(10)).code, 130);
}

#[test]
fn running_out_of_descriptors_stops_nothing_for_good() {
    let folder = store();
    let (server, address) = start(folder.path().to_str().unwrap(), &[]);
    let mut before = connect(&address);
    ask(&mut before, "/livez");
    let open = format!("/proc/{}/fd", server.id());
    let is_open = |n: &u64| std::path::Path::new(&open).join(n.to_string()).exists();
    let none_free = (0..).find(|n| !is_open(n)).unwrap();
    let pid = Pid::from_raw(server.id().cast_signed());
    let allow = |current| {
        let limit = Rlimit {
            current: Some(current),
            maximum: Some(1024),
        };
        prlimit(pid, Resource::Nofile, limit).unwrap();
    };
    allow(none_free);
    let mut after = connect(&address);
    patience("the lack of descriptors", PATIENCE, || {
        server.stderr().contains("no connection can be accepted").then_some(())
    });
    // Those who are here are served, and whoever waits is served later.
    assert!(ask(&mut before, "/livez").starts_with("HTTP/1.1 200"));
    allow(1024);
    assert!(ask(&mut after, "/livez").starts_with("HTTP/1.1 200"));
}
