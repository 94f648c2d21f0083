//! The program with a log that cannot be written.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use test_support::{Running, free_port, patience};

#[test]
fn a_full_disk_under_the_log_costs_no_answer() {
    let folder = TempDir::new().unwrap();
    let registry = folder.path().join("registry");
    let port = free_port();
    let script = r#"exec "$0" "$@" 2>/dev/full"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_server")]).args([
        format!("--listen=127.0.0.1:{port}"),
        format!("--registry={}", registry.display()),
    ]);
    let mut server = Running::start(&mut command);
    // It logs that it listens before it is ready, and each failure of the registry after that.
    let ask = |path: &str| -> io::Result<String> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        write!(
            connection,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    patience("a server that is ready", Duration::from_secs(20), || {
        assert_eq!(server.ended(), None, "it ended");
        ask("/readyz").ok().filter(|answer| answer.starts_with("HTTP/1.1 200"))
    });
    fs::remove_dir_all(&registry).unwrap();
    fs::write(&registry, "no folder").unwrap();
    let answer = ask("/api/models").unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert_eq!(server.ended(), None);
}
