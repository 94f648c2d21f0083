//! Load for a gateway: one thread, many connections, the next request of each as soon as its answer is there.
//!
//! A request is one write and an answer one read, so that a core of this gives more requests than a core of any server
//! answers. It prints one JSON object with what it counted.

use std::{
    fs,
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Parser;
use rustix::event::epoll;
use serde::Serialize;

/// Sends bodies to an address by turns, over connections that stay.
#[derive(Parser)]
struct Args {
    /// Where the server listens
    address: SocketAddr,

    /// Bodies, sent by turns
    #[arg(required = true)]
    bodies: Vec<PathBuf>,

    #[arg(long, default_value = "/gateway/applications/mnist-app/predict")]
    path: String,

    #[arg(long, default_value_t = 16)]
    connections: usize,

    /// How long requests are counted
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,

    /// How long requests are sent before that
    #[arg(long, default_value_t = 0.5)]
    warm_up_seconds: f64,
}

/// What was counted.
#[derive(Serialize)]
struct Outcome {
    requests: usize,
    /// Answers other than 200, and connections that were lost.
    errors: usize,
    requests_s: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// One connection, which waits for an answer.
struct Connection {
    stream: TcpStream,
    /// Which of the requests is under way, and what of it is not sent yet.
    request: usize,
    n_sent: usize,
    answer: Vec<u8>,
    n_received: usize,
    since: Instant,
}

struct Load {
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    connections: Vec<Connection>,
    epoll: rustix::fd::OwnedFd,
    /// Time of each answer, in units of 100 ns.
    times: Vec<u32>,
    n_errors: usize,
}

/// No answer of a gateway is longer; one to 32 images has 10 kB.
const ANSWER_MAX: usize = 1 << 20;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut requests = Vec::new();
    for path in &args.bodies {
        let body = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            args.path,
            args.address,
            body.len()
        );
        requests.push([head.into_bytes(), body].concat());
    }
    let mut load = Load::new(args.address, requests, args.connections)?;
    load.run(Duration::from_secs_f64(args.warm_up_seconds))?;
    load.times.clear();
    load.n_errors = 0;
    let start = Instant::now();
    load.run(Duration::from_secs_f64(args.seconds))?;
    let outcome = load.outcome(start.elapsed())?;
    console::print(&serde_json::to_string(&outcome)?);
    Ok(())
}

impl Load {
    fn new(address: SocketAddr, requests: Vec<Vec<u8>>, n_connections: usize) -> anyhow::Result<Self> {
        let mut load = Self {
            address,
            requests,
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
            load.send(index).context("cannot send")?;
        }
        Ok(load)
    }

    fn connect(&self, index: usize) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(self.address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(&self.epoll, &stream, epoll::EventData::new_u64(index as u64), flags)?;
        Ok(Connection {
            stream,
            request: index % self.requests.len(),
            n_sent: 0,
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
                    self.send(index).context("cannot send")?;
                }
            }
        }
        Ok(())
    }

    /// Goes on with what connection `index` is at, as far as it goes without waiting.
    fn progress(&mut self, index: usize) -> io::Result<()> {
        if self.connections[index].n_sent < self.requests[self.connections[index].request].len() {
            return self.send(index);
        }
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
            if let Some(is_right) = is_whole(&connection.answer[..connection.n_received])? {
                let tenths = connection.since.elapsed().as_nanos() / 100;
                self.times.push(u32::try_from(tenths).unwrap_or(u32::MAX));
                self.n_errors += usize::from(!is_right);
                connection.request = (connection.request + 1) % self.requests.len();
                connection.n_sent = 0;
                connection.n_received = 0;
                connection.since = Instant::now();
                return self.send(index);
            }
            if n_read < n_room {
                // The rest is announced by another event.
                return Ok(());
            }
        }
    }

    fn send(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.connections[index];
        let request = &self.requests[connection.request];
        while connection.n_sent < request.len() {
            match connection.stream.write(&request[connection.n_sent..]) {
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

/// Whether the answer in `text` is whole, and then whether it is a 200.
fn is_whole(text: &[u8]) -> io::Result<Option<bool>> {
    let Some(head_length) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = str::from_utf8(&text[..head_length]).map_err(io::Error::other)?;
    let mut lines = head.split("\r\n");
    let is_right = lines.next().is_some_and(|line| line.starts_with("HTTP/1.1 200"));
    let body_length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse::<usize>().ok())
        .ok_or_else(|| io::Error::other("an answer without a length"))?;
    Ok((text.len() >= head_length + 4 + body_length).then_some(is_right))
}
