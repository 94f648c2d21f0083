//! The management API and the gateway of a server, as the steps call them.

use std::time::Duration;

use console::Temporary;
use formats::{api::ErrorBody, secrets::Secret};
use serde::de::DeserializeOwned;
use thiserror::Error;
use ureq::{
    Agent, RequestBuilder,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    typestate::WithBody,
};

use crate::server_url::ServerUrl;

/// Longest time for an answer that a step needs; an upload writes a file and syncs it.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Longest time for an answer when somebody only looks whether a server is there and well.
pub(crate) const LOOK_MAX: Duration = Duration::from_secs(2);
/// Longest time for a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// A server, seen from outside. Connections are kept and shared between clones.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    server: ServerUrl,
    token: Option<Secret>,
    api_key: Option<Secret>,
}

/// A request without a usable answer.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    /// No connection, or it broke, or time ran out.
    #[error("no answer from `{url}`")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// Why.
        #[source]
        source: ureq::Error,
    },
    /// An answer that says no.
    #[error("`{url}` answers {status}: {message}")]
    Refused {
        /// What was asked.
        url: String,
        /// Its status.
        status: StatusCode,
        /// What the server says about it.
        message: String,
    },
    /// An answer that is no answer to the question.
    #[error("`{url}` answers something else than expected")]
    Unexpected {
        /// What was asked.
        url: String,
        /// What does not fit.
        #[source]
        source: ureq::Error,
    },
}

impl Client {
    /// A client of `server` that waits for an answer for `answer_max`.
    pub(crate) fn new(server: ServerUrl, answer_max: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(answer_max))
            .timeout_connect(Some(CONNECT_MAX))
            // The server is ours and near; a proxy for the internet would only be in the way.
            .proxy(None)
            .max_redirects(0)
            .user_agent(concat!("slipway-pipeline/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            server,
            token: None,
            api_key: None,
        }
    }

    /// The same with a token for the management.
    pub(crate) fn with_token(self, token: Option<Secret>) -> Self {
        Self { token, ..self }
    }

    /// The same with a key for predictions.
    pub(crate) fn with_api_key(self, api_key: Option<Secret>) -> Self {
        Self { api_key, ..self }
    }

    /// What is at `path`.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = self.server.join(path);
        let answer = self.open(path, self.agent.get(&url)).call();
        read_json(&url, &mut accept(&url, answer)?)
    }

    /// What is at `path`; nothing where the server knows nothing of that name.
    pub(crate) fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ClientError> {
        match self.get(path) {
            Err(ClientError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Whether the server says that it is ready for requests.
    pub(crate) fn is_ready(&self) -> bool {
        let answer = self.agent.get(self.server.join("/readyz")).call();
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Sends `body` to `path`; what `prepare` adds to the request are its headers.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
        prepare: impl FnOnce(RequestBuilder<WithBody>) -> RequestBuilder<WithBody>,
    ) -> Result<T, ClientError> {
        let (answer, _) = self.post_with_headers(path, body, prepare)?;
        Ok(answer)
    }

    /// The same, with one header of the answer: that of `name`.
    pub(crate) fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
        name: &str,
    ) -> Result<(T, Option<String>), ClientError> {
        let (answer, headers) = self.post_with_headers(path, body, |request| request.content_type(JSON))?;
        let header = headers.get(name).and_then(|value| value.to_str().ok());
        Ok((answer, header.map(str::to_owned)))
    }

    /// Puts the JSON `body` at `path`.
    pub(crate) fn put_json<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, ClientError> {
        let url = self.server.join(path);
        let answer = self.open(path, self.agent.put(&url)).content_type(JSON).send(body);
        read_json(&url, &mut accept(&url, answer)?)
    }

    fn post_with_headers<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
        prepare: impl FnOnce(RequestBuilder<WithBody>) -> RequestBuilder<WithBody>,
    ) -> Result<(T, ureq::http::HeaderMap), ClientError> {
        let url = self.server.join(path);
        let answer = prepare(self.open(path, self.agent.post(&url))).send(body);
        let mut answer = accept(&url, answer)?;
        let value = read_json(&url, &mut answer)?;
        Ok((value, answer.into_parts().0.headers))
    }

    /// Adds to a request what opens `path`.
    fn open<T>(&self, path: &str, request: RequestBuilder<T>) -> RequestBuilder<T> {
        let (name, value) = match path.starts_with(MANAGEMENT) {
            true => (
                header::AUTHORIZATION,
                self.token.as_ref().map(|token| format!("Bearer {}", token.reveal())),
            ),
            false => (API_KEY, self.api_key.as_ref().map(|key| key.reveal().to_owned())),
        };
        let Some(value) = value else { return request };
        let mut value = HeaderValue::try_from(value).expect("a secret is visible ASCII");
        // Whoever prints the headers of a request leaves this one out.
        value.set_sensitive(true);
        request.header(name, value)
    }
}

const JSON: &str = "application/json";
/// The paths that a token opens.
const MANAGEMENT: &str = "/api/";
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

impl ClientError {
    /// Whether the same request may succeed a little later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Refused { status, .. } => matches!(
                *status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            ),
            Self::Unexpected { .. } => false,
        }
    }

    /// The error of a program that could not do `what`: what may pass ends it with the exit code that says so.
    pub(crate) fn keeps_from(self, what: &'static str) -> anyhow::Error {
        let may_pass = self.may_pass();
        let error = anyhow::Error::new(self);
        match may_pass {
            true => error.context(Temporary(what)),
            false => error.context(what),
        }
    }
}

type Answer = Response<ureq::Body>;

fn accept(url: &str, answer: Result<Answer, ureq::Error>) -> Result<Answer, ClientError> {
    let mut answer = answer.map_err(|source| ClientError::NoAnswer {
        url: url.to_owned(),
        source,
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let message = read_json::<ErrorBody>(url, &mut answer).map_or_else(
        |_| "no reason is given".to_owned(),
        |body| {
            let information = body.information;
            let with = |label: &str, part: Option<String>| part.map_or(String::new(), |part| format!("{label}{part}"));
            information.message
                + &with(", at ", information.path)
                + &with(", expected ", information.expected)
                + &with(", found ", information.found)
        },
    );
    Err(ClientError::Refused {
        url: url.to_owned(),
        status,
        message,
    })
}

fn read_json<T: DeserializeOwned>(url: &str, answer: &mut Answer) -> Result<T, ClientError> {
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
    body.read_json().map_err(|source| ClientError::Unexpected {
        url: url.to_owned(),
        source,
    })
}
