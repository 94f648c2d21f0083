//! The bytes of a connection, on their way between the operating system and hyper.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::connections::activity::Activity;

/// What an HTTP/2 client sends first.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A socket that notes what comes and what cannot go.
#[derive(Debug)]
pub(super) struct Watched {
    socket: TcpStream,
    activity: Arc<Activity>,
    is_shut_down: bool,
}

/// A stream of which some bytes were read to see what they are; they are read again first.
#[derive(Debug)]
pub(super) struct Rewound<T> {
    stream: T,
    first: Bytes,
}

impl Watched {
    pub(super) fn new(socket: TcpStream, activity: Arc<Activity>) -> Self {
        Self {
            socket,
            activity,
            is_shut_down: false,
        }
    }

    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        self.activity.blocked(written.is_pending());
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    /// Says that no more bytes come. Where the client may still be sending what nobody will read, it waits for the end of
    /// that: closing at once would make the operating system take back the answer that the client has not read yet.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut_down {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            self.is_shut_down = true;
        }
        if self.activity.leaves_unread() {
            self.activity.lingers();
            let mut unread = [0; 16 << 10];
            loop {
                let mut buffer = ReadBuf::new(&mut unread);
                ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
                if buffer.filled().is_empty() {
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> Rewound<T> {
    /// Reads on from `first`, which was read already, until it is clear whether the client speaks HTTP/2, and says so.
    pub(super) async fn after_preface(mut stream: T, first: Bytes) -> io::Result<(Self, bool)> {
        // A few bytes of a slow client must not hold the buffer in which all connections read.
        let mut first = Bytes::copy_from_slice(&first);
        while first.len() < HTTP2_PREFACE.len() && HTTP2_PREFACE.starts_with(&first) {
            let mut longer = BytesMut::from(first);
            let n_read = stream.read_buf(&mut longer).await?;
            first = longer.freeze();
            if n_read == 0 {
                break;
            }
        }
        let is_http2 = first.starts_with(HTTP2_PREFACE);
        Ok((Self { stream, first }, is_http2))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Rewound<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let n = self.first.len().min(buffer.remaining());
        buffer.put_slice(&self.first[..n]);
        self.first.advance(n);
        if self.first.is_empty() {
            self.first = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Rewound<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of `sent`, of which some bytes were read before, and what is read after that.
    async fn check(sent: &[u8], n_read: usize) -> (bool, Vec<u8>) {
        let (first, rest) = sent.split_at(sent.len().min(n_read));
        let first = Bytes::copy_from_slice(first);
        let (mut stream, is_http2) = Rewound::after_preface(rest, first.clone()).await.unwrap();
        assert!(
            first.is_empty() || first.is_unique(),
            "somebody still holds what was read"
        );
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        (is_http2, read)
    }

    #[tokio::test]
    async fn nothing_is_lost_by_looking() {
        let whole = [HTTP2_PREFACE, b"\0\0\0"].concat();
        for (sent, is_http2) in [
            (&whole[..], true),
            (HTTP2_PREFACE, true),
            (&HTTP2_PREFACE[..23], false),
            (b"PRIVATE / HTTP/1.1\r\n\r\n", false),
            (b"GET / HTTP/1.1\r\nhost: test\r\n\r\n", false),
            (b"P", false),
            (b"", false),
        ] {
            for n_read in [0, 3, 24, usize::MAX] {
                assert_eq!(check(sent, n_read).await, (is_http2, sent.to_owned()));
            }
        }
    }
}
