//! One keep-alive connection that speaks as much HTTP/1.1 as our server does.

use std::{
    fmt,
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::options::Load;

/// How long an answer may take before the request has failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// The bytes of a request, ready to be sent.
pub(crate) struct Request(Vec<u8>);

/// What a server said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header `x-model-version`.
    pub(crate) version: Option<String>,
    /// The class of the first image.
    pub(crate) class: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    Connect,
    Closed,
    Reset,
    TimedOut,
    Malformed,
}

/// A connection that is opened anew whenever there is none.
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    n_retries: u64,
}

impl Request {
    pub(crate) fn new(load: &Load, body: &[u8]) -> Self {
        let Load {
            address,
            path,
            encoding,
            ..
        } = load;
        let encoding = encoding.as_ref().map(|name| format!("Content-Encoding: {name}\r\n"));
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n",
            encoding.unwrap_or_default(),
            body.len()
        );
        Self([head.as_bytes(), body].concat())
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            buffer: Vec::new(),
            n_retries: 0,
        }
    }

    /// How often a request was sent a second time since this was asked.
    pub(crate) fn take_retries(&mut self) -> u64 {
        std::mem::take(&mut self.n_retries)
    }

    /// Sends `request` and reads its answer.
    ///
    /// A server may close an idle connection in the very moment in which a request is sent. As every HTTP client does
    /// (RFC 9112, section 9.3.1), this one sends it again on a new connection, if not one byte of an answer has come.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        let was_used = self.stream.is_some();
        match self.attempt(request) {
            Err(Failure::Closed | Failure::Reset) if was_used && self.buffer.is_empty() => {
                self.n_retries += 1;
                self.attempt(request)
            }
            outcome => outcome,
        }
    }

    fn attempt(&mut self, request: &Request) -> Result<Answer, Failure> {
        self.buffer.clear();
        // It is put back once the answer has shown that the connection goes on.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address).map_err(|_| Failure::Connect)?,
        };
        // A server that refuses a long body may answer before it has read it, so the answer is looked for anyway.
        let sent = stream.write_all(&request.0);
        let head_length = match self.read_head(&mut stream) {
            Ok(length) => length,
            Err(failure) => return Err(sent.err().map_or(failure, |error| failure_of(&error))),
        };
        let head = Head::parse(&self.buffer[..head_length]).ok_or(Failure::Malformed)?;
        let end = head_length + head.n_body_bytes;
        while self.buffer.len() < end {
            self.read_more(&mut stream)?;
        }
        if !head.closes && sent.is_ok() {
            self.stream = Some(stream);
        }
        let body = &self.buffer[head_length..end];
        Ok(Answer {
            status: head.status,
            version: head.version,
            class: class(body),
        })
    }

    /// Reads until the empty line; returns the length of the head with it.
    fn read_head(&mut self, stream: &mut TcpStream) -> Result<usize, Failure> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok(end + 4);
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(Failure::Malformed);
            }
            self.read_more(stream)?;
        }
    }

    fn read_more(&mut self, stream: &mut TcpStream) -> Result<(), Failure> {
        let start = self.buffer.len();
        self.buffer.resize(start + (16 << 10), 0);
        let outcome = stream.read(&mut self.buffer[start..]);
        self.buffer.truncate(start + *outcome.as_ref().unwrap_or(&0));
        match outcome {
            Ok(0) => Err(Failure::Closed),
            Ok(_) => Ok(()),
            Err(error) => Err(failure_of(&error)),
        }
    }
}

/// What the driver looks at in the head of an answer.
struct Head {
    status: u16,
    n_body_bytes: usize,
    version: Option<String>,
    closes: bool,
}

impl Head {
    fn parse(head: &[u8]) -> Option<Self> {
        let text = str::from_utf8(head).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let mut head = Self {
            status,
            n_body_bytes: 0,
            version: None,
            closes: false,
        };
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.n_body_bytes = value.parse().ok()?,
                "x-model-version" => head.version = Some(value.to_owned()),
                "connection" => head.closes = value.eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        Some(head)
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn failure_of(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Failure::TimedOut,
        _ => Failure::Reset,
    }
}

/// The number behind `"class_ids":[[`.
fn class(body: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"\"class_ids\":[[";
    let start = body.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let digits = body[start..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.map(|&byte| char::from(byte)).collect())
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "cannot connect",
            Self::Closed => "closed without an answer",
            Self::Reset => "reset without an answer",
            Self::TimedOut => "no answer in time",
            Self::Malformed => "no HTTP answer",
        })
    }
}
