//! A whole server on a socket, from start to drain.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot};

use formats::application::ApplicationSpec;
use inference::{Applications, Registry};
use server::{AccessSettings, DrainTimes, Settings, Signals, Store};
use test_support::patience;

use crate::connections::{ask, ask_for};
use crate::http2::{GOAWAY, Http2};
use crate::support::{PREDICT, artifact, connection_limits, images, limits, spec};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server in its own thread and runtime, as the program has it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    fn start(folder: &TempDir, drain_max: Duration) -> Self {
        Self::start_with(Settings {
            drain: DrainTimes {
                delay: Duration::ZERO,
                max: drain_max,
            },
            ..settings(folder)
        })
    }

    pub(crate) fn start_with(settings: Settings) -> Self {
        let running = Self::start_unready(settings);
        patience("a ready server", PATIENCE, || {
            running.get("/readyz").starts_with("HTTP/1.1 200").then_some(())
        });
        running
    }

    /// A server that listens, and may still be loading.
    pub(crate) fn start_unready(settings: Settings) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind(settings.listen).await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                server::run(listener, settings, async {
                    let _ = stopped.await;
                })
                .await
            })
        });
        Self {
            address: told.recv().unwrap(),
            stop,
            thread,
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
        read_all(&mut stream)
    }

    /// Begins a predict request, without its last byte.
    pub(crate) fn begin(&self) -> (TcpStream, &'static [u8]) {
        let body = images(1, "0");
        let mut stream = self.connect();
        let length = body.len();
        write!(
            stream,
            "POST {PREDICT} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
        .unwrap();
        stream.write_all(&body.as_bytes()[..length - 1]).unwrap();
        patience("the request to begin", PATIENCE, || {
            self.get("/metrics")
                .contains("slipway_requests_in_flight 1\n")
                .then_some(())
        });
        (stream, b"}")
    }

    pub(crate) fn stop(self) -> JoinHandle<anyhow::Result<()>> {
        let _ = self.stop.send(());
        self.thread
    }
}

pub(crate) fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// What a server on this registry is told.
pub(crate) fn settings(folder: &TempDir) -> Settings {
    Settings {
        invocations: None,
        listen: "127.0.0.1:0".parse().unwrap(),
        store: Store::Folder(folder.path().to_str().unwrap().to_owned()),
        limits: limits(),
        access: AccessSettings::default(),
        connections: connection_limits(),
        tls: None,
        signals: Signals::default(),
        refresh_interval: Duration::from_millis(20),
        drain: DrainTimes {
            delay: Duration::ZERO,
            max: PATIENCE,
        },
    }
}

/// A registry in which `mnist-app` is deployed.
pub(crate) fn store() -> TempDir {
    store_of(artifact(3))
}

/// The same with another model.
pub(crate) fn store_of(artifact: Vec<u8>) -> TempDir {
    store_of_all(vec![artifact])
}

/// The same with several versions, of which the first one is deployed.
pub(crate) fn store_of_all(artifacts: Vec<Vec<u8>>) -> TempDir {
    let folder = TempDir::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let applications = Applications::new(Registry::open(folder.path().to_str().unwrap()).unwrap());
        for artifact in artifacts {
            applications
                .publish(&"mnist".parse().unwrap(), artifact.into(), None)
                .await
                .unwrap();
        }
        let spec: ApplicationSpec = serde_json::from_str(&spec("mnist-app", "mnist:1")).unwrap();
        applications.deploy(spec).await.unwrap();
    });
    folder
}

#[test]
fn a_request_that_has_begun_is_answered_after_the_stop() {
    let folder = store();
    let server = Running::start(&folder, PATIENCE);
    let address = server.address;
    // An idle connection must not hold up the end.
    let idle = server.connect();
    let (mut stream, rest) = server.begin();
    let thread = server.stop();
    patience("the end of listening", PATIENCE, || {
        TcpStream::connect(address).is_err().then_some(())
    });
    stream.write_all(rest).unwrap();
    let answer = read_all(&mut stream);
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"class_ids\":[[3]]"),
        "{answer}"
    );
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    thread.join().unwrap().unwrap();
    drop(idle);
}

#[test]
fn no_client_that_keeps_asking_is_broken_off() {
    let folder = store();
    let delay = Duration::from_millis(100);
    let server = Running::start_with(Settings {
        drain: DrainTimes { delay, max: PATIENCE },
        ..settings(&folder)
    });
    let mut http2 = Http2::open(server.connect(), &[]);
    assert!(http2.settle());
    let (mut stream, mut watcher) = (server.connect(), server.connect());
    ask(&mut stream);
    let (began, thread) = (Instant::now(), server.stop());
    patience("the server to say no", PATIENCE, || {
        ask_for(&mut watcher, "/readyz")
            .starts_with("HTTP/1.1 503")
            .then_some(())
    });
    // Each of these is answered, and the one after the delay says that it was the last.
    while !ask(&mut stream).contains("\r\nconnection: close\r\n") {
        assert!(began.elapsed() < PATIENCE, "the server does not ask to leave");
    }
    assert!(began.elapsed() >= delay);
    assert_eq!(read_all(&mut stream), "");
    assert!(http2.find(|frame| frame.kind == GOAWAY).is_some());
    thread.join().unwrap().unwrap();
}

#[test]
fn a_stalled_client_holds_up_the_end_only_until_the_deadline() {
    let folder = store();
    let server = Running::start(&folder, Duration::from_millis(50));
    let (mut stream, _) = server.begin();
    server.stop().join().unwrap().unwrap();
    assert!(!read_all(&mut stream).contains("200 OK"));
}

#[test]
fn what_another_server_deploys_is_followed() {
    let folder = store();
    let server = Running::start(&folder, PATIENCE);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let elsewhere = Applications::new(Registry::open(folder.path().to_str().unwrap()).unwrap());
        let spec: ApplicationSpec = serde_json::from_str(&spec("late-app", "mnist:1")).unwrap();
        elsewhere.deploy(spec).await.unwrap();
    });
    patience("the deploy to arrive", PATIENCE, || {
        server
            .get("/api/applications/late-app")
            .starts_with("HTTP/1.1 200")
            .then_some(())
    });
    server.stop().join().unwrap().unwrap();
}

#[test]
fn a_registry_that_cannot_be_opened_ends_the_start() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let arguments = [
        "server",
        "--listen",
        "127.0.0.1:0",
        "--registry",
        file.to_str().unwrap(),
    ];
    let args = <server::cli::Args as clap::Parser>::try_parse_from(arguments).unwrap();
    let error = server::start(args.settings().unwrap()).unwrap_err();
    assert!(error.to_string().starts_with("cannot open the registry `"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = <server::cli::Args as clap::Parser>::try_parse_from(["server", "--listen", &address]).unwrap();
    let error = server::start(args.settings().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on `{address}`"));
    assert!(error.downcast_ref::<server::ListenError>().is_some());
}
