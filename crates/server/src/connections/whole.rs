//! Requests that come whole, head and body in one read, as nearly all do: read, answered and written without hyper.
//!
//! hyper has buffers for each connection, and when there are many, these are in no cache by the time they are needed; and it
//! sends each body through a channel. Here all connections of a thread share their buffers. This is a short cut and no second
//! HTTP: what comes in another way, or asks for more than an answer, goes to hyper with all that was read, and the rest of its
//! connection too.

mod answer;
mod question;

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::HeaderMap,
    response::Response,
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tower::Service;

use crate::{
    connections::{READ_BUFFER_MAX_BYTES, activity::Open, service::Routes},
    settings::ConnectionLimits,
};

/// The longest answer for which room is kept.
const ANSWER_MAX_BYTES: usize = 64 << 10;

thread_local! {
    /// Where requests are read. It is one piece again once their bytes are no longer needed, which is before the next read.
    static READ: RefCell<BytesMut> = RefCell::default();
    /// Where answers are written.
    static WRITTEN: Cell<Vec<u8>> = Cell::default();
    /// The room of headers that nobody needs any more.
    static HEADERS: Cell<HeaderMap> = Cell::default();
}

/// Answers what comes over `stream`, as long as it is whole requests. `Some`: what was read after the last one.
pub(super) async fn answer_all<T, S>(
    stream: &mut T,
    routes: &Routes<S>,
    limits: &ConnectionLimits,
) -> io::Result<Option<Bytes>>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
{
    let mut read = Bytes::new();
    loop {
        if read.is_empty() {
            read = poll_fn(|context| poll_read(stream, context)).await?;
        }
        if read.is_empty() {
            stream.shutdown().await?;
            return Ok(None);
        }
        let Some(request) = question::take(&mut read, limits) else {
            // It may have come with the request before, and then nobody has noted it.
            routes.activity.received();
            return Ok(Some(read));
        };
        let mut open = Open::new(routes.activity.clone());
        let answer = {
            let answering = pin!(routes.service.clone().call(request));
            wait_for(answering, stream, &mut read).await?
        };
        open.answers();
        let is_last = routes.app.life.is_closing();
        write(stream, answer, is_last).await?;
        open.completes();
        if is_last {
            stream.shutdown().await?;
            return Ok(None);
        }
    }
}

/// Bytes that came; none once there are no more.
fn poll_read<T: AsyncRead + Unpin>(stream: &mut T, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    READ.with_borrow_mut(|buffer| {
        buffer.reserve(READ_BUFFER_MAX_BYTES);
        ready!(pin!(stream.read_buf(buffer)).poll(context))?;
        Poll::Ready(Ok(buffer.split().freeze()))
    })
}

/// The answer. What comes meanwhile is kept in `read`; where nothing comes any more, nobody waits for the answer.
async fn wait_for<T: AsyncRead + Unpin>(
    mut answering: Pin<&mut impl Future<Output = Result<Response, Infallible>>>,
    stream: &mut T,
    read: &mut Bytes,
) -> io::Result<Response> {
    poll_fn(|context| {
        if let Poll::Ready(Ok(answer)) = answering.as_mut().poll(context) {
            return Poll::Ready(Ok(answer));
        }
        if read.is_empty() {
            *read = ready!(poll_read(stream, context))?;
            if read.is_empty() {
                return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
            }
        }
        Poll::Pending
    })
    .await
}

async fn write<T: AsyncWrite + Unpin>(stream: &mut T, answer: Response, is_last: bool) -> io::Result<()> {
    let (mut head, body) = answer.into_parts();
    // The length stands before the body.
    let mut body = match body.size_hint().exact() {
        Some(_) => body,
        None => Body::from(body.collect().await.map_err(io::Error::other)?.to_bytes()),
    };
    let mut written = WRITTEN.take();
    written.clear();
    let n_bytes = body.size_hint().exact().unwrap_or_default();
    answer::write_head(&head, n_bytes, is_last, &mut written);
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame.map_err(io::Error::other)?.into_data() {
            written.extend_from_slice(&piece);
        }
    }
    stream.write_all(&written).await?;
    stream.flush().await?;
    if written.capacity() <= ANSWER_MAX_BYTES {
        WRITTEN.set(written);
    }
    head.headers.clear();
    HEADERS.set(head.headers);
    Ok(())
}
