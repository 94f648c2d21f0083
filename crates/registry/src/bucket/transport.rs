//! Requests of the store over HTTP, by the client that the programs have anyhow, on threads that may wait.

use std::{
    fmt,
    io::{self, Read},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    },
};
use tokio::{sync::mpsc, task, time};
use ureq::{
    Agent, Timeout,
    http::{Method, Request, Response, Uri, request, response},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};
use url::form_urlencoded;

use super::{
    Bucket, BucketError, Trouble,
    answer::{Answer, Verdict},
    trouble::Action,
};
use crate::RegistryError;

/// How often a request is made that is not answered, and does no harm when it is made again.
const ATTEMPTS: u32 = 3;
/// After this there is no further attempt: whoever waits for the server has a limit of 30 seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long the second attempt waits; the third twice as long.
pub(super) const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Longest time to find the keeper, and to connect to it.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Longest time until an answer begins, and in which nothing of a body comes or goes.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Far above a listing of a thousand keys; whatever else answers must not fill the memory.
const TEXT_MAX_BYTES: u64 = 8 << 20;
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks of an object that are here already and that nobody has taken.
const CHUNKS_MAX: usize = 4;

/// What the store sends its requests through.
#[derive(Clone)]
pub(super) struct Transport(Arc<Inner>);

struct Inner {
    agent: Agent,
    bucket: String,
    keeper: String,
    region: String,
    /// What stands before a key in the path of an address.
    before_key: String,
}

/// One request, as often as it is made.
struct Asked {
    action: Action,
    key: String,
    head: request::Parts,
    body: Bytes,
}

/// The bytes of an object on their way.
struct Arriving(mpsc::Receiver<Result<Bytes, HttpError>>);

/// Why there is no answer, and whether the request may be made again.
struct NoAnswer {
    trouble: Trouble,
    may_pass: bool,
}

impl Transport {
    /// `certificates` are those to believe, in PEM form, in place of the public authorities.
    ///
    /// Errors: certificates that are none.
    pub(super) fn new(bucket: &Bucket, certificates: Option<&[u8]>) -> Result<Self, RegistryError> {
        let roots = match (certificates, &bucket.certificates) {
            (Some(pem), Some(file)) => {
                let certificates = believed(pem);
                certificates.map_err(|source| RegistryError::Certificates {
                    file: file.display().to_string(),
                    source,
                })?
            }
            _ => RootCerts::WebPki,
        };
        let config = Agent::config_builder()
            // What a status means is decided in one place, see `answer.rs`, and a redirection would not be signed.
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_resolve(Some(CONNECT_MAX))
            .timeout_connect(Some(CONNECT_MAX))
            .timeout_recv_response(Some(ANSWER_MAX))
            .timeout_per_read(Some(ANSWER_MAX))
            .timeout_per_write(Some(ANSWER_MAX))
            .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")));
        let name = bucket.url.bucket();
        Ok(Self(Arc::new(Inner {
            agent: Agent::new_with_config(config.build()),
            bucket: name.to_owned(),
            keeper: bucket.keeper(),
            region: bucket.region.clone(),
            before_key: match bucket.is_in_path() {
                true => format!("/{name}/"),
                false => "/".to_owned(),
            },
        })))
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Transport {
    /// Makes the request until it is answered, or cannot be.
    ///
    /// The store would do so itself; but it asks again after a creation of which nobody knows whether it happened, and
    /// takes a conflict for an object that exists. With either, a number could be lost.
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let asked = Arc::new(self.0.understand(request).await?);
        let start = Instant::now();
        let (mut attempt, mut pause) = (1, PAUSE_FIRST);
        loop {
            let attempt_once = {
                let (inner, asked) = (self.0.clone(), asked.clone());
                move || inner.attempt(&asked)
            };
            let answered = task::spawn_blocking(attempt_once)
                .await
                .unwrap_or_else(|_| Err(NoAnswer::ended()));
            let NoAnswer { trouble, may_pass } = match answered {
                Ok(response) => return Ok(self.0.clone().deliver(&asked, response)),
                Err(no_answer) => no_answer,
            };
            if !may_pass || attempt == ATTEMPTS || start.elapsed() + pause > PATIENCE {
                return Err(self.0.error(&asked, trouble, HttpErrorKind::Unknown));
            }
            // Only roughly so long: many servers that one outage has stopped should not come back as one.
            time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            attempt += 1;
            pause *= 2;
        }
    }
}

impl Inner {
    async fn understand(&self, request: HttpRequest) -> Result<Asked, HttpError> {
        let (head, body) = request.into_parts();
        let prefix = prefix(&head.uri);
        let action = match (&head.method, &prefix) {
            (&Method::PUT, _) => Action::Create,
            (_, Some(_)) => Action::List,
            (_, None) => Action::Read,
        };
        let path = head.uri.path();
        let key = prefix.unwrap_or_else(|| path.strip_prefix(&self.before_key).unwrap_or(path).to_owned());
        Ok(Asked {
            action,
            key,
            head,
            body: body.collect().await?.to_bytes(),
        })
    }

    /// One attempt: the answer with all of its body, but for the bytes of an object.
    fn attempt(&self, asked: &Asked) -> Result<Response<Contents>, NoAnswer> {
        let head = asked.head.clone();
        let answer = match asked.action {
            Action::Create => self.agent.run(Request::from_parts(head, &asked.body[..])),
            Action::Read | Action::List => self.agent.run(Request::from_parts(head, ())),
        };
        let (head, mut body) = answer.map_err(|error| NoAnswer::of(asked.action, &error))?.into_parts();
        let text = match asked.action {
            Action::Create | Action::Read if head.status.is_success() => Bytes::new(),
            _ => {
                let text = body.with_config().limit(TEXT_MAX_BYTES).read_to_vec();
                text.map_err(|error| NoAnswer::of(asked.action, &error))?.into()
            }
        };
        match answer_of(asked.action, &head, &text).verdict(&self.region) {
            Verdict::Trouble { trouble, may_pass } => Err(NoAnswer { trouble, may_pass }),
            Verdict::Answered if asked.action == Action::Read && head.status.is_success() => {
                Ok(Response::from_parts(head, Contents::Object(body)))
            }
            Verdict::Answered => Ok(Response::from_parts(head, Contents::Text(text))),
        }
    }

    fn deliver(self: Arc<Self>, asked: &Arc<Asked>, response: Response<Contents>) -> HttpResponse {
        let (head, contents) = response.into_parts();
        let body = match contents {
            Contents::Text(text) => text.into(),
            Contents::Object(body) => {
                let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
                let asked = asked.clone();
                task::spawn_blocking(move || self.pump(&asked, body, &sender));
                HttpResponseBody::new(Arriving(receiver))
            }
        };
        HttpResponse::from_parts(head, body)
    }

    /// Hands on the bytes of an object as they come, and no faster than they are taken.
    fn pump(&self, asked: &Asked, body: ureq::Body, chunks: &mpsc::Sender<Result<Bytes, HttpError>>) {
        let mut reader = body.into_reader();
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let chunk = match reader.read(&mut chunk) {
                Ok(0) => return,
                Ok(n_bytes) => {
                    chunk.truncate(n_bytes);
                    Ok(Bytes::from(chunk))
                }
                Err(error) => {
                    let NoAnswer { trouble, .. } = NoAnswer::of(asked.action, &error.into());
                    Err(self.error(asked, trouble, HttpErrorKind::Interrupted))
                }
            };
            let is_over = chunk.is_err();
            // Nobody may be there any more who wants it.
            if chunks.blocking_send(chunk).is_err() || is_over {
                return;
            }
        }
    }

    fn error(&self, asked: &Asked, trouble: Trouble, kind: HttpErrorKind) -> HttpError {
        let error = BucketError {
            bucket: self.bucket.clone(),
            keeper: self.keeper.clone(),
            action: asked.action,
            key: asked.key.clone(),
            trouble,
        };
        HttpError::new(kind, error)
    }
}

/// What came with an answer.
enum Contents {
    Text(Bytes),
    Object(ureq::Body),
}

impl NoAnswer {
    fn of(action: Action, error: &ureq::Error) -> Self {
        let (why, was_sent) = why(error);
        Self {
            trouble: Trouble::Unreachable(why),
            may_pass: action != Action::Create || !was_sent,
        }
    }

    /// The program ends, and its threads first.
    fn ended() -> Self {
        Self {
            trouble: Trouble::Unreachable("this program ends".to_owned()),
            may_pass: false,
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        self.0.poll_recv(context).map(|chunk| Some(chunk?.map(Frame::data)))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Transport").field(&self.0.bucket).finish()
    }
}

fn answer_of<'a>(action: Action, head: &'a response::Parts, text: &'a [u8]) -> Answer<'a> {
    let region = head.headers.get("x-amz-bucket-region");
    Answer {
        action,
        status: head.status.as_u16(),
        region: region.and_then(|region| region.to_str().ok()),
        text: str::from_utf8(text).unwrap_or_default(),
    }
}

/// With what the wanted keys begin, where an address asks for a listing.
fn prefix(uri: &Uri) -> Option<String> {
    let query = uri.query()?;
    let parameters = form_urlencoded::parse(query.as_bytes());
    let mut is_listing = false;
    let mut prefix = String::new();
    for (name, value) in parameters {
        match &*name {
            "list-type" => is_listing = true,
            "prefix" => prefix = value.into_owned(),
            _ => {}
        }
    }
    is_listing.then_some(prefix)
}

/// What went wrong, in words that are the same each time, and whether the request may have arrived.
fn why(error: &ureq::Error) -> (String, bool) {
    match error {
        ureq::Error::Io(error) => {
            // TLS tells its reasons inside of an error of the system.
            let why = match error.get_ref() {
                Some(inner) => inner.to_string(),
                None => error.kind().to_string(),
            };
            (why, error.kind() != io::ErrorKind::ConnectionRefused)
        }
        ureq::Error::HostNotFound => ("host not found".to_owned(), false),
        ureq::Error::Timeout(Timeout::Resolve) => ("the name was not resolved in time".to_owned(), false),
        ureq::Error::Timeout(Timeout::Connect) => ("no connection in time".to_owned(), false),
        ureq::Error::Timeout(_) => ("it did not come in time".to_owned(), true),
        error => (error.to_string(), true),
    }
}

/// The certificates of a file in PEM form.
fn believed(pem: &[u8]) -> Result<RootCerts, Box<dyn std::error::Error + Send + Sync>> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item? {
            certificates.push(certificate);
        }
    }
    match certificates.is_empty() {
        true => Err("expected certificates in PEM form, found none".into()),
        false => Ok(certificates.into()),
    }
}
