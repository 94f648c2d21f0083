//! An HTTP/2 client that sends what it likes: frames by hand, because no client library would misbehave so.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use crate::support::PREDICT;

pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `SETTINGS_MAX_CONCURRENT_STREAMS`
pub(crate) const STREAMS_MAX: u16 = 3;
/// `SETTINGS_INITIAL_WINDOW_SIZE`
pub(crate) const WINDOW: u16 = 4;

/// A connection after its preface.
pub(crate) struct Http2(pub(crate) TcpStream);

/// A frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Http2 {
    /// Sends the preface and these settings.
    pub(crate) fn open(mut socket: TcpStream, settings: &[(u16, u32)]) -> Self {
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        let mut client = Self(socket);
        client.send(SETTINGS, 0, 0, &payload).unwrap();
        client
    }

    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        self.0.write_all(&frame(kind, flags, stream, payload))
    }

    /// Begins to send a predict request; its body does not come.
    pub(crate) fn begin(&mut self, stream: u32) -> io::Result<()> {
        self.0.write_all(&predict(stream))
    }

    pub(crate) fn get(&mut self, stream: u32, path: &str) {
        let head = [
            &[0x82, 0x86, 4, path.len() as u8][..],
            path.as_bytes(),
            &[1, 4],
            b"test",
        ]
        .concat();
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &head).unwrap();
    }

    /// The next frame; `None` once the server has closed.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let mut payload = vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
        self.0.read_exact(&mut payload).ok()?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes(head[5..].try_into().unwrap()),
            payload,
        })
    }

    /// The next frame that is like this.
    pub(crate) fn find(&mut self, is_wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        std::iter::from_fn(|| self.next()).find(is_wanted)
    }

    /// Waits until the server has understood everything that was sent; `false` once it has closed.
    pub(crate) fn settle(&mut self) -> bool {
        let is_sent = self.send(PING, 0, 0, &[0; 8]).is_ok();
        is_sent && self.find(|frame| frame.kind == PING && frame.flags == ACK).is_some()
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = &(payload.len() as u32).to_be_bytes()[1..];
    [length, &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a predict request.
pub(crate) fn predict(stream: u32) -> Vec<u8> {
    let kind = b"application/json";
    let head = [
        &[0x83, 0x86, 4, PREDICT.len() as u8][..],
        PREDICT.as_bytes(),
        &[1, 4],
        b"test",
        &[0x0f, 0x10, kind.len() as u8],
        kind,
    ];
    frame(HEADERS, END_HEADERS, stream, &head.concat())
}
