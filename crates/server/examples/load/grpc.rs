//! gRPC over HTTP/2, as much of it as one call at a time needs.
//!
//! Requests are told as every client tells them: the first one fills the table of headers, the others point into it. An
//! answer is right where a whole message came before its end; calls that fail end without one, so no header has to be
//! understood.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    rc::Rc,
};

use anyhow::ensure;

use crate::{Protocol, Understood};

/// What a client says first, before its settings: none.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

// Kinds of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

// Their flags.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

const FRAME_HEADER: usize = 9;
/// The longest frame that every server takes.
const FRAME_MAX: usize = 16 << 10;
/// What may be sent before the server says how much it takes.
const WINDOW: usize = (1 << 16) - 1;
/// As much as HTTP/2 has numbers for, told at the beginning: no measurement receives more over one connection.
const OUR_WINDOW_MORE: u32 = (1 << 31) - 1 - WINDOW as u32;
/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

// Settings that would forbid what is done here.
const HEADER_TABLE_SIZE: u16 = 1;
const INITIAL_WINDOW_SIZE: u16 = 4;
/// Ours takes some hundred bytes.
const TABLE_MIN: u32 = 4096;

/// The headers of the first request: two of the table that HTTP/2 brings, four that are added to it.
type Headers = Rc<[u8]>;

/// One connection.
#[derive(Clone)]
pub(crate) struct Grpc {
    first_headers: Headers,
    /// The number of the call under way; 0 before the first.
    stream: u32,
    /// What the server takes before it says that it takes more.
    window: usize,
    /// Answers to what the server asked, sent with the next request.
    control: Vec<u8>,
    /// The beginning of the message that is received, and how long it is with that.
    prefix: [u8; PREFIX],
    n_received: usize,
}

impl Grpc {
    pub(crate) fn new(address: SocketAddr, call: &str, bodies: &[Vec<u8>]) -> anyhow::Result<Self> {
        let n_most = bodies.iter().map(Vec::len).max().unwrap_or_default();
        ensure!(
            n_most + PREFIX <= FRAME_MAX,
            "a message has {n_most} bytes, more than a frame takes"
        );
        // `:method: POST` and `:scheme: http`, then `:path`, `:authority` and `content-type` with values of ours.
        let mut headers = vec![0x83, 0x86];
        for (name, value) in [(4, call), (1, &address.to_string()), (31, "application/grpc")] {
            headers.push(0x40 | name);
            push_text(value, &mut headers)?;
        }
        headers.push(0x40);
        push_text("te", &mut headers)?;
        push_text("trailers", &mut headers)?;
        let mut control = PREFACE.to_vec();
        push_frame(WINDOW_UPDATE, 0, 0, &OUR_WINDOW_MORE.to_be_bytes(), &mut control);
        Ok(Self {
            first_headers: headers.into(),
            stream: 0,
            window: WINDOW,
            control,
            prefix: [0; PREFIX],
            n_received: 0,
        })
    }

    fn data(&mut self, flags: u8, mut payload: &[u8]) -> io::Result<()> {
        if flags & PADDED != 0 {
            return Err(io::Error::other("an answer with padding"));
        }
        if self.n_received < PREFIX {
            let n_bytes = payload.len().min(PREFIX - self.n_received);
            self.prefix[self.n_received..self.n_received + n_bytes].copy_from_slice(&payload[..n_bytes]);
            self.n_received += n_bytes;
            payload = &payload[n_bytes..];
        }
        self.n_received += payload.len();
        Ok(())
    }

    /// Whether all of a message came, and nothing else.
    fn is_whole(&self) -> bool {
        let [is_compressed, length @ ..] = self.prefix;
        is_compressed == 0
            && self.n_received == PREFIX + u32::from_be_bytes(length) as usize
            && self.n_received > PREFIX
    }

    fn settings(&mut self, payload: &[u8]) -> io::Result<()> {
        for setting in payload.as_chunks::<6>().0 {
            let [high, low, value @ ..] = *setting;
            let least = match u16::from_be_bytes([high, low]) {
                HEADER_TABLE_SIZE => TABLE_MIN,
                INITIAL_WINDOW_SIZE => FRAME_MAX as u32,
                _ => continue,
            };
            if u32::from_be_bytes(value) < least {
                return Err(io::Error::other("a server that takes less than others"));
            }
        }
        push_frame(SETTINGS, ACK, 0, &[], &mut self.control);
        Ok(())
    }
}

impl Protocol for Grpc {
    fn ask(&mut self, _body: usize, n_bytes: usize, head: &mut Vec<u8>) -> bool {
        head.append(&mut self.control);
        let n_message = PREFIX + n_bytes;
        if self.window < n_message {
            return false;
        }
        self.window -= n_message;
        // The four that the first request added, newest last: `te`, `content-type`, `:authority` and `:path`.
        let headers: &[u8] = match self.stream {
            0 => &self.first_headers,
            _ => &[0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe],
        };
        self.stream = if self.stream == 0 { 1 } else { self.stream + 2 };
        self.n_received = 0;
        push_frame(HEADERS, END_HEADERS, self.stream, headers, head);
        push_frame_header(n_message, DATA, END_STREAM, self.stream, head);
        head.push(0);
        head.extend_from_slice(&(n_bytes as u32).to_be_bytes());
        true
    }

    fn understand(&mut self, received: &[u8]) -> io::Result<Understood> {
        let mut n_bytes = 0;
        let mut answer = None;
        while let Some((frame, payload)) = received[n_bytes..].split_first_chunk::<FRAME_HEADER>() {
            let [a, b, c, kind, flags, stream @ ..] = *frame;
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            let Some(payload) = payload.get(..length) else { break };
            n_bytes += FRAME_HEADER + length;
            let is_ours = u32::from_be_bytes(stream) == self.stream;
            match kind {
                DATA if is_ours => self.data(flags, payload)?,
                SETTINGS if flags & ACK == 0 => self.settings(payload)?,
                PING if flags & ACK == 0 => push_frame(PING, ACK, 0, payload, &mut self.control),
                WINDOW_UPDATE if stream == [0; 4] => {
                    let more = payload.first_chunk().ok_or(ErrorKind::InvalidData)?;
                    self.window += u32::from_be_bytes(*more) as usize;
                }
                GOAWAY => return Err(ErrorKind::ConnectionAborted.into()),
                _ => {}
            }
            let is_end = matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
            if is_ours && (is_end || kind == RST_STREAM) {
                answer = Some(kind == HEADERS && self.is_whole());
            }
        }
        Ok(Understood { n_bytes, answer })
    }
}

fn push_frame(kind: u8, flags: u8, stream: u32, payload: &[u8], bytes: &mut Vec<u8>) {
    push_frame_header(payload.len(), kind, flags, stream, bytes);
    bytes.extend_from_slice(payload);
}

fn push_frame_header(length: usize, kind: u8, flags: u8, stream: u32, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(length as u32).to_be_bytes()[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
}

/// Appends a text of a header, not compressed.
fn push_text(text: &str, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
    ensure!(text.len() < 127, "`{text}` is too long for a header");
    bytes.push(text.len() as u8);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}
