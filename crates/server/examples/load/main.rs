//! Load for a server: one thread, many connections, the next request of each as soon as its answer is there.
//!
//! A request is one write and an answer one read, so that a core of this gives more requests than a core of any server
//! answers. It prints one JSON object with what it counted.

mod grpc;
mod http1;

use std::{
    fs,
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use rustix::event::epoll;
use serde::Serialize;

use grpc::Grpc;
use http1::Http1;

/// Sends bodies to an address by turns, over connections that stay.
#[derive(Parser)]
struct Args {
    /// Where the server listens
    address: SocketAddr,

    /// Bodies, sent by turns
    #[arg(required = true)]
    bodies: Vec<PathBuf>,

    #[arg(long, value_enum, default_value_t = Form::Http1)]
    form: Form,

    /// What is asked for; with gRPC the call
    #[arg(long, default_value = "/gateway/applications/mnist-app/predict")]
    path: String,

    /// A line of each request's head, besides those that all have
    #[arg(
        long = "header",
        value_name = "NAME: VALUE",
        default_value = "content-type: application/json"
    )]
    headers: Vec<String>,

    #[arg(long, default_value_t = 16)]
    connections: usize,

    /// How long requests are counted
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,

    /// How long requests are sent before that
    #[arg(long, default_value_t = 0.5)]
    warm_up_seconds: f64,
}

/// How a connection is spoken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// HTTP/1.1.
    Http1,
    /// Calls of gRPC, each body a message.
    Grpc,
}

/// What one connection has to know to write requests and to understand answers.
trait Protocol: Clone {
    /// Appends what stands before a body, the one with this index and length. `false`: the server takes none just now; it is
    /// asked for again when something was received.
    fn ask(&mut self, body: usize, n_bytes: usize, head: &mut Vec<u8>) -> bool;

    /// How far what was received is understood.
    fn understand(&mut self, received: &[u8]) -> io::Result<Understood>;
}

/// What was made of received bytes.
struct Understood {
    /// So many of them are done with.
    n_bytes: usize,
    /// An answer ended with them; whether it is the right one.
    answer: Option<bool>,
}

/// What was counted.
#[derive(Serialize)]
struct Outcome {
    requests: usize,
    /// Answers that say that something is wrong, and connections that were lost.
    errors: usize,
    requests_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// One connection, which waits for an answer.
struct Connection<P> {
    stream: TcpStream,
    protocol: P,
    /// Which of the bodies is under way, and what stands before it.
    body: usize,
    head: Vec<u8>,
    /// Of both together.
    n_sent: usize,
    /// There is a request to be sent, which the server does not take yet.
    is_held_back: bool,
    answer: Vec<u8>,
    n_received: usize,
    since: Instant,
}

struct Load<P> {
    address: SocketAddr,
    /// How each connection begins.
    protocol: P,
    bodies: Vec<Vec<u8>>,
    connections: Vec<Connection<P>>,
    epoll: rustix::fd::OwnedFd,
    /// Time of each answer, in units of 100 ns.
    times: Vec<u32>,
    n_errors: usize,
}

/// No answer of a gateway is longer; one to 32 images has 10 kB.
const ANSWER_MAX: usize = 1 << 20;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let read = |path: &PathBuf| fs::read(path).with_context(|| format!("cannot read `{}`", path.display()));
    let bodies: Vec<Vec<u8>> = args.bodies.iter().map(read).collect::<Result<_, _>>()?;
    let outcome = match args.form {
        Form::Http1 => measure(
            &args,
            Http1::new(args.address, &args.path, &args.headers, &bodies),
            bodies,
        ),
        Form::Grpc => measure(&args, Grpc::new(args.address, &args.path, &bodies)?, bodies),
    };
    console::print(&serde_json::to_string(&outcome?)?);
    Ok(())
}

fn measure<P: Protocol>(args: &Args, protocol: P, bodies: Vec<Vec<u8>>) -> anyhow::Result<Outcome> {
    let mut load = Load::new(args.address, protocol, bodies, args.connections)?;
    load.run(Duration::from_secs_f64(args.warm_up_seconds))?;
    load.times.clear();
    load.n_errors = 0;
    let start = Instant::now();
    load.run(Duration::from_secs_f64(args.seconds))?;
    load.outcome(start.elapsed())
}

impl<P: Protocol> Load<P> {
    fn new(address: SocketAddr, protocol: P, bodies: Vec<Vec<u8>>, n_connections: usize) -> anyhow::Result<Self> {
        let mut load = Self {
            address,
            protocol,
            bodies,
            connections: Vec::new(),
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            times: Vec::new(),
            n_errors: 0,
        };
        for index in 0..n_connections {
            let connection = load.connect(index)?;
            load.connections.push(connection);
        }
        for index in 0..n_connections {
            load.ask(index).context("cannot send")?;
        }
        Ok(load)
    }

    fn connect(&self, index: usize) -> anyhow::Result<Connection<P>> {
        let stream = TcpStream::connect(self.address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(&self.epoll, &stream, epoll::EventData::new_u64(index as u64), flags)?;
        Ok(Connection {
            stream,
            protocol: self.protocol.clone(),
            body: index % self.bodies.len(),
            head: Vec::new(),
            n_sent: 0,
            is_held_back: false,
            answer: vec![0; 4096],
            n_received: 0,
            since: Instant::now(),
        })
    }

    /// Sends requests for a time. Those that are under way at its end go on when this is called again.
    fn run(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + time;
        let mut events = Vec::with_capacity(self.connections.len());
        while Instant::now() < end {
            events.clear();
            // It never sleeps: to wake it would cost the server's core more than its answer.
            let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
            epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&at_once))?;
            for event in &events {
                let index = event.data.u64() as usize;
                if let Err(error) = self.progress(index) {
                    if error.kind() == ErrorKind::WouldBlock {
                        continue;
                    }
                    self.n_errors += 1;
                    self.connections[index] = self.connect(index)?;
                    self.ask(index).context("cannot send")?;
                }
            }
        }
        Ok(())
    }

    /// Goes on with what connection `index` is at, as far as it goes without waiting.
    fn progress(&mut self, index: usize) -> io::Result<()> {
        self.send(index)?;
        loop {
            let connection = &mut self.connections[index];
            if connection.n_received == connection.answer.len() {
                if connection.answer.len() == ANSWER_MAX {
                    return Err(io::Error::other("an answer without end"));
                }
                connection.answer.resize(2 * connection.answer.len(), 0);
            }
            let room = &mut connection.answer[connection.n_received..];
            let n_room = room.len();
            let n_read = connection.stream.read(room)?;
            if n_read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            connection.n_received += n_read;
            let received = &connection.answer[..connection.n_received];
            let Understood { n_bytes, answer } = connection.protocol.understand(received)?;
            connection.answer.copy_within(n_bytes..connection.n_received, 0);
            connection.n_received -= n_bytes;
            let is_held_back = connection.is_held_back;
            if let Some(is_right) = answer {
                let tenths = connection.since.elapsed().as_nanos() / 100;
                self.times.push(u32::try_from(tenths).unwrap_or(u32::MAX));
                self.n_errors += usize::from(!is_right);
                connection.body = (connection.body + 1) % self.bodies.len();
            }
            if answer.is_some() || is_held_back {
                self.ask(index)?;
            }
            if n_read < n_room {
                // The rest is announced by another event.
                return Ok(());
            }
        }
    }

    /// Begins the next request.
    fn ask(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.connections[index];
        let n_bytes = self.bodies[connection.body].len();
        connection.head.clear();
        connection.n_sent = 0;
        connection.is_held_back = !connection.protocol.ask(connection.body, n_bytes, &mut connection.head);
        if !connection.is_held_back {
            connection.since = Instant::now();
        }
        self.send(index)
    }

    /// Sends what is left of the request.
    fn send(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.connections[index];
        let body: &[u8] = match connection.is_held_back {
            true => &[],
            false => &self.bodies[connection.body],
        };
        while connection.n_sent < connection.head.len() + body.len() {
            let head = connection.head.get(connection.n_sent..).unwrap_or_default();
            let body = &body[connection.n_sent.saturating_sub(connection.head.len())..];
            match connection
                .stream
                .write_vectored(&[IoSlice::new(head), IoSlice::new(body)])
            {
                Ok(n_sent) => connection.n_sent += n_sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn outcome(&mut self, during: Duration) -> anyhow::Result<Outcome> {
        let times = &mut self.times;
        times.sort_unstable();
        if times.is_empty() {
            bail!("no request was answered");
        }
        let quantile = |share: f64| f64::from(times[((times.len() - 1) as f64 * share) as usize]) / 1e4;
        Ok(Outcome {
            requests: times.len(),
            errors: self.n_errors,
            requests_s: times.len() as f64 / during.as_secs_f64(),
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
        })
    }
}
