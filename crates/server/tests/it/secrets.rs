//! Whatever is asked, and however much is logged: no secret gets out, and nothing of a request but its answer.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use test_support::{Running, Workspace, patience, program};

use crate::support::{artifact, images, spec};

const PATIENCE: Duration = Duration::from_secs(30);
const TOKEN: &str = "planted-token-0123456789";
const KEY: &str = "planted-key-0123456789";
/// What clients bring along: in a body, a query, a header, a cookie, or in place of a secret.
const MARKERS: [&str; 6] = [
    "planted-in-body",
    "planted-in-query",
    "planted-in-header",
    "planted-in-cookie",
    "planted-as-secret",
    "planted-as-idempotency",
];

/// A server that logs everything, and whatever it answered.
struct Server {
    running: Running,
    address: String,
    answers: String,
}

impl Server {
    fn start(workspace: &Workspace) -> Self {
        let running = Running::start(workspace.command(&program("server")).args([
            "-vv",
            "--listen=127.0.0.1:0",
            "--registry=registry",
            "--management-token-file=tokens",
            "--api-keys-file=keys",
            "--refresh-interval-ms=20",
            "--artifact-max-bytes=100000",
        ]));
        let address = patience("the address in the log", PATIENCE, || {
            let log = running.stderr();
            let (_, after) = log.split_once("listening on http://")?;
            Some(after.split_once(',')?.0.to_owned())
        });
        let mut server = Self {
            running,
            address,
            answers: String::new(),
        };
        patience("a ready server", PATIENCE, || {
            server
                .send("GET", "/readyz", "", b"")
                .starts_with("HTTP/1.1 200")
                .then_some(())
        });
        server
    }

    /// Sends a request with everything planted in it, and keeps the answer.
    fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path}?query=planted-in-query HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             x-user-id: planted-in-header\r\ncookie: session=planted-in-cookie\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        // A server that does not want the body closes the connection before it has read all of it.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        self.answers += &answer;
        answer
    }

    /// Every route, with and without what opens it, and with bodies of every kind.
    fn drive(&mut self) {
        let json = "content-type: application/json\r\n";
        let secrets = [
            String::new(),
            "authorization: Bearer planted-as-secret\r\nx-api-key: planted-as-secret\r\n".to_owned(),
            "authorization: Basic planted-as-secret\r\n".to_owned(),
            format!("authorization: Bearer {TOKEN}\r\nx-api-key: {KEY}\r\n"),
            format!("authorization: Bearer {KEY}\r\nx-api-key: {TOKEN}\r\n"),
        ];
        let bodies: Vec<Vec<u8>> = vec![
            artifact(3),
            spec("app", "mnist:1").into_bytes(),
            images(1, "0").into_bytes(),
            b"planted-in-body".to_vec(),
            br#"{"imgs": "planted-in-body", "planted-in-body": 1}"#.to_vec(),
            br#"{"name": "planted-in-body", "stages": "planted-in-body"}"#.to_vec(),
            spec("planted-in-body", "mnist:77").into_bytes(),
            b"{\"revision\": 1}".to_vec(),
            [b"planted-in-body".as_slice(), &vec![b' '; 200_000]].concat(),
        ];
        for secret in secrets {
            for (method, path) in [
                ("GET", "/"),
                ("GET", "/livez"),
                ("GET", "/readyz"),
                ("GET", "/metrics"),
                ("GET", "/openapi.json"),
                ("GET", "/nowhere"),
                ("GET", "/api/server"),
                ("GET", "/api/models"),
                ("GET", "/api/models/mnist/versions"),
                ("GET", "/api/models/mnist/versions/1"),
                ("GET", "/api/models/mnist/versions/x"),
                ("GET", "/api/models/mnist/versions/1/artifact"),
                ("GET", "/api/applications"),
                ("GET", "/api/applications/app"),
                ("GET", "/api/applications/app/revisions"),
                ("DELETE", "/api/applications/app"),
            ] {
                self.send(method, path, &secret, b"");
            }
            self.send("PUT", "/api/applications/app", &secret, b"planted-in-body");
            for body in &bodies {
                for (method, path) in [
                    ("POST", "/api/models/mnist/versions"),
                    ("PUT", "/api/applications/app"),
                    ("POST", "/api/applications/app/rollback"),
                    ("POST", "/gateway/applications/app/predict"),
                    ("POST", "/gateway/applications/app/other"),
                ] {
                    let key = "idempotency-key: planted-as-idempotency\r\n";
                    self.send(method, path, &format!("{secret}{json}{key}"), body);
                }
            }
        }
    }
}

#[test]
fn neither_a_secret_nor_what_clients_send_is_logged_answered_or_counted() {
    let workspace = Workspace::new();
    workspace.write("tokens", format!("operator:{TOKEN}\n").as_bytes());
    workspace.write("keys", format!("alice:{KEY}\n").as_bytes());
    let mut server = Server::start(&workspace);
    server.drive();
    assert!(server.answers.contains("\"class_ids\":[[3]]"), "a model answers");
    for status in ["200", "201", "400", "401", "404", "405", "413", "415"] {
        assert!(
            server.answers.contains(&format!("HTTP/1.1 {status} ")),
            "no answer with {status}"
        );
    }
    // A file of keys that is none, and a registry that is gone.
    workspace.write("keys", b"planted-in-body");
    patience("the refusal of the file", PATIENCE, || {
        server
            .running
            .stderr()
            .contains("the API keys stay those of before")
            .then_some(())
    });
    fs::rename(workspace.join("registry"), workspace.join("aside")).unwrap();
    server.drive();
    assert!(server.answers.contains("HTTP/1.1 503 "));
    let metrics = server.send("GET", "/metrics", "", b"");
    server.running.terminate();
    let Server { running, answers, .. } = server;
    let log = running.wait(PATIENCE).stderr;
    assert!(
        log.contains("DEBUG") && log.contains("admitted"),
        "the log is not as verbose as it can be: {log}"
    );
    for secret in [TOKEN, KEY] {
        for (place, text) in [("the log", &log), ("an answer", &answers), ("the metrics", &metrics)] {
            assert!(!text.contains(secret), "{secret} is in {place}");
        }
    }
    for marker in MARKERS {
        for (place, text) in [("the log", &log), ("the metrics", &metrics)] {
            let line = text.lines().find(|line| line.contains(marker));
            assert_eq!(line, None, "{marker} is in {place}");
        }
    }
    let folder = workspace.path().to_str().unwrap();
    for (place, text) in [("an answer", &answers), ("the metrics", &metrics)] {
        let line = text.lines().find(|line| line.contains(folder));
        assert_eq!(line, None, "a path of this machine is in {place}");
    }
}
