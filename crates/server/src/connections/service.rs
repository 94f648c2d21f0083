//! Our routes as hyper asks for them, and what a request tells its connection on the way.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, Request, Response, Version, header},
};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tower::Service;

use crate::{
    App,
    connections::activity::{Activity, Open},
};

/// All routes, for one connection.
pub(super) struct Routes<S> {
    pub(super) service: S,
    pub(super) activity: Arc<Activity>,
    pub(super) app: Arc<App>,
}

pin_project! {
    /// The answer to one request.
    pub(super) struct Answering<F> {
        #[pin]
        answer: F,
        open: Option<Open>,
        app: Arc<App>,
        version: Version,
    }
}

/// The longest rest of a body that is read although nobody wants it. Longer ones cost the client its connection, and less
/// than reading them.
const SKIPPED_MAX_BYTES: u64 = 1 << 20;

/// The body of a request.
struct Asked {
    /// There until it is dropped.
    body: Option<Incoming>,
    activity: Arc<Activity>,
    /// Nobody has looked into it yet, and its client sends it without being asked to.
    may_be_skipped: bool,
    has_ended: bool,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    open: Open,
}

impl<S> hyper::service::Service<Request<Incoming>> for Routes<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn call(&self, request: Request<Incoming>) -> Answering<S::Future> {
        let open = Open::new(self.activity.clone());
        let version = request.version();
        let may_be_skipped = version < Version::HTTP_2 && !request.headers().contains_key(header::EXPECT);
        let request = request.map(|body| {
            if body.is_end_stream() {
                return Body::empty();
            }
            Body::new(Asked {
                body: Some(body),
                activity: self.activity.clone(),
                may_be_skipped,
                has_ended: false,
            })
        });
        Answering {
            answer: self.service.clone().call(request),
            open: Some(open),
            app: self.app.clone(),
            version,
        }
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for Answering<F> {
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = match ready!(this.answer.poll(context)) {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let mut open = this.open.take().expect("a future is not asked again once it is done");
        open.answers();
        if answer.body().is_end_stream() {
            open.completes();
        }
        if this.app.life.is_closing() && *this.version < Version::HTTP_2 {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(header::CONNECTION, close);
        }
        Poll::Ready(Ok(answer.map(|body| Answer { body, open })))
    }
}

impl HttpBody for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        self.may_be_skipped = false;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        let is_last = frame.is_none() || body.is_end_stream();
        self.has_ended = is_last;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Asked {
    /// A client that was refused before its body was looked at keeps its connection: to open another one, as it would soon,
    /// costs both sides more than to read what it sends.
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|_| !self.has_ended) else {
            return;
        };
        let is_short = body
            .size_hint()
            .upper()
            .is_some_and(|n_bytes| n_bytes <= SKIPPED_MAX_BYTES);
        match Handle::try_current() {
            Ok(runtime) if is_short && self.may_be_skipped => {
                runtime.spawn(skip(body, self.activity.clone()));
            }
            _ => self.activity.left_unread(),
        }
    }
}

async fn skip(mut body: Incoming, activity: Arc<Activity>) {
    while let Some(Ok(_)) = body.frame().await {}
    activity.skipped();
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        // Nobody asks for what comes behind trailers.
        let is_last = match &frame {
            Some(Ok(frame)) => frame.is_trailers() || self.body.is_end_stream(),
            Some(Err(_)) => false,
            None => true,
        };
        if is_last {
            self.open.completes();
        }
        self.open.advances();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
