//! The only place where errors become statuses: what went wrong, whose mistake it is, and what the answer says.

use std::{any::Any, io, time::Duration};

use axum::{
    Json,
    extract::rejection::PathRejection,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use prost::DecodeError;
use thiserror::Error;
use tokio::task::JoinError;

use formats::{
    api::{ErrorBody, ErrorInformation, ErrorKind},
    name::{ApplicationName, NameError},
    tensor::TensorError,
    version::VersionError,
};
use inference::{InferenceError, RegistryError, with_causes};
use model::import::ImportError;

use crate::{
    BodyPace,
    http::{
        encoding::{self, Encoding},
        hs::{ArchiveError, HsError},
    },
    metrics::Reason,
};

/// Seconds after which a client that was refused for load, or too early, may come back.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// How a client shows that it may do what it asks for.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"slipway\"");

/// Everything that a request can end with besides its answer.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    #[error("there is nothing at `{0}`")]
    NoRoute(String),
    #[error("`{path}` does not understand {method}")]
    WrongMethod { method: Method, path: String },
    #[error("management is offered at a loopback address, or to who has a token: this server has neither")]
    NotOffered,
    #[error("without a token, management is not offered to pages of other servers: this one is of `{origin}`")]
    ForeignPage { origin: String },
    #[error("management takes a token that this server knows")]
    NoToken,
    #[error("predictions take an API key that this server knows")]
    NoApiKey,
    #[error("wrong name in the path: {}", .0.body_text().trim_start_matches("Invalid URL: "))]
    Path(PathRejection),
    #[error("wrong version in the path")]
    Version(#[from] VersionError),
    #[error("the body must be announced as `application/json` in the `content-type` header")]
    ContentType { found: Option<String> },
    #[error("the `inference-header-content-length` header must be the length of the JSON that the body begins with")]
    JsonLength { found: String, body_bytes: usize },
    #[error("wrong name at `{place}`")]
    Name {
        place: &'static str,
        #[source]
        error: NameError,
    },
    #[error("there is no call `{0}`")]
    NoCall(String),
    #[error("the body is not one message, with its length before it: found {found}")]
    Frame { found: String },
    #[error("the `grpc-encoding` of the message is not understood: expected `gzip`, found `{found}`")]
    MessageEncoding { found: String },
    #[error("the message is not understood")]
    Message(#[source] DecodeError),
    #[error("parameters.{name}: a registered model cannot be loaded as another one")]
    LoadParameter { name: String },
    #[error("nothing says which application is meant, and {n_deployed} are deployed")]
    WhichApplication { n_deployed: usize },
    #[error("application `{0}` answers as long as it is deployed, and cannot be unloaded")]
    StaysLoaded(ApplicationName),
    #[error("the `content-encoding` of the body is not understood")]
    ContentEncoding { found: String },
    #[error("the body is not {encoding}, as which it is announced")]
    BodyEncoding {
        encoding: Encoding,
        #[source]
        error: io::Error,
    },
    #[error("the body is too long")]
    BodyTooLarge { max_bytes: usize },
    #[error("the body does not arrive in time")]
    BodyTooSlow { pace: BodyPace },
    #[error("the body ended before it was complete")]
    BodyCutOff,
    #[error("the `idempotency-key` header must be 1 to {max_bytes} visible ASCII characters")]
    IdempotencyKey { max_bytes: usize },
    #[error("the body is not the document that belongs here: {0}")]
    Document(serde_json::Error),
    #[error("the application in the body has another name than the path")]
    OtherName {
        expected: ApplicationName,
        found: ApplicationName,
    },
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error(transparent)]
    Inference(#[from] InferenceError),
    #[error(transparent)]
    Hs(#[from] HsError),
    #[error("the uploaded model cannot be taken in")]
    Import(#[from] ImportError),
    #[error("the applications are being loaded")]
    NotReady,
    #[error("the server is about to end")]
    Leaving,
    #[error("as many requests are worked on as may be")]
    Overloaded,
    #[error("not finished within {} ms", limit.as_millis())]
    TimedOut { limit: Duration },
    #[error("a worker did not finish")]
    Worker(#[source] JoinError),
    #[error("a request ended in a panic: {0}")]
    Panic(String),
}

/// What the answer says is wrong, noted on it for those who say it in another form.
#[derive(Debug, Clone)]
pub(super) struct Told(pub(super) ErrorInformation);

/// What went wrong inside, noted on the answer for the log: the answer itself does not tell it.
#[derive(Debug, Clone)]
pub(super) struct Failure(pub(super) String);

impl ApiError {
    /// The limit at which the request was turned away, if it was.
    fn reason(&self) -> Option<Reason> {
        match self {
            Self::Overloaded => Some(Reason::Overload),
            Self::NotReady => Some(Reason::NotReady),
            Self::Leaving => Some(Reason::Leaving),
            Self::TimedOut { .. } => Some(Reason::TimeOut),
            Self::BodyTooSlow { .. } => Some(Reason::BodyTimeOut),
            Self::NotOffered | Self::ForeignPage { .. } | Self::NoToken | Self::NoApiKey => Some(Reason::Unauthorized),
            Self::BodyTooLarge { .. } => Some(Reason::BodyTooLarge),
            Self::Tensor(TensorError::TooMany { .. }) => Some(Reason::TooManyImages),
            _ => None,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod { .. } | Self::NoCall(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotOffered | Self::ForeignPage { .. } => StatusCode::FORBIDDEN,
            Self::NoToken | Self::NoApiKey => StatusCode::UNAUTHORIZED,
            Self::ContentType { .. } | Self::ContentEncoding { .. } | Self::MessageEncoding { .. } => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::BodyTooLarge { .. } | Self::Tensor(TensorError::TooMany { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Path(_)
            | Self::Version(_)
            | Self::JsonLength { .. }
            | Self::Frame { .. }
            | Self::Message(_)
            | Self::Name { .. }
            | Self::LoadParameter { .. }
            | Self::BodyCutOff
            | Self::BodyEncoding { .. }
            | Self::IdempotencyKey { .. }
            | Self::Document(_)
            | Self::OtherName { .. }
            | Self::Tensor(_) => StatusCode::BAD_REQUEST,
            Self::StaysLoaded(_) | Self::WhichApplication { .. } => StatusCode::CONFLICT,
            Self::Import(_) => StatusCode::BAD_REQUEST,
            Self::Hs(error) => hs_status(error),
            Self::Inference(error) => inference_status(error),
            Self::NotReady | Self::Leaving | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Worker(_) | Self::Panic(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn information(&self) -> ErrorInformation {
        let place = |path: Option<&str>, expected: Option<String>, found: Option<String>| ErrorInformation {
            message: with_causes(self),
            path: path.map(str::to_owned),
            expected,
            found,
        };
        if let Self::Inference(error) = self
            && let Some(outage) = error.outage()
        {
            return ErrorInformation {
                message: format!("the registry cannot be used: {outage}"),
                ..ErrorInformation::default()
            };
        }
        match self {
            Self::Tensor(error) => error.information(),
            Self::ContentType { found } => {
                let found = found.clone().unwrap_or_else(|| "no such header".to_owned());
                place(None, Some("application/json".to_owned()), Some(found))
            }
            Self::ContentEncoding { found } => {
                let accepted = encoding::ACCEPTED.to_str().unwrap_or_default().to_owned();
                place(None, Some(accepted), Some(found.clone()))
            }
            Self::JsonLength { found, body_bytes } => {
                let expected = format!("a whole number from 0 to {body_bytes}");
                place(None, Some(expected), Some(found.clone()))
            }
            Self::Frame { found } => place(None, None, Some(found.clone())),
            Self::MessageEncoding { found } => place(None, Some("gzip".to_owned()), Some(found.clone())),
            Self::LoadParameter { name } => place(Some(&format!("parameters.{name}")), None, None),
            Self::Name { place: at, .. } => place(Some(at), None, None),
            Self::NoToken => place(None, Some("`authorization: Bearer …`".to_owned()), None),
            Self::NoApiKey => {
                let expected = "`authorization: Bearer …` or `x-api-key: …`";
                place(None, Some(expected.to_owned()), None)
            }
            Self::BodyTooLarge { max_bytes } => place(None, Some(format!("at most {max_bytes} bytes")), None),
            Self::BodyTooSlow { pace } => {
                let ms = pace.timeout.as_millis();
                let expected = format!("{ms} ms, and a second more for each {} bytes", pace.rate_min_bytes);
                place(None, Some(expected), None)
            }
            Self::OtherName { expected, found } => {
                place(Some("name"), Some(expected.to_string()), Some(found.to_string()))
            }
            Self::Inference(InferenceError::Overflow { path } | InferenceError::InvalidApplication { path, .. }) => {
                place(Some(path), None, None)
            }
            _ => place(None, None, None),
        }
    }
}

fn inference_status(error: &InferenceError) -> StatusCode {
    match error {
        InferenceError::UnknownApplication { .. }
        | InferenceError::UnknownSignature { .. }
        | InferenceError::UnknownRevision { .. } => StatusCode::NOT_FOUND,
        InferenceError::Overflow { .. }
        | InferenceError::InvalidApplication { .. }
        | InferenceError::BrokenArtifact(_) => StatusCode::BAD_REQUEST,
        // The request is in order, but what it asks for is registered in a form that this server cannot carry out.
        InferenceError::BrokenVersion { .. }
        | InferenceError::NoEarlierRevision { .. }
        | InferenceError::Unloaded { .. } => StatusCode::CONFLICT,
        InferenceError::Registry(error) => match error {
            RegistryError::UnknownModel(_)
            | RegistryError::UnknownVersion(_)
            | RegistryError::UnknownApplication(_) => StatusCode::NOT_FOUND,
            RegistryError::KeyReused { .. } => StatusCode::CONFLICT,
            RegistryError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            RegistryError::Bucket(_)
            | RegistryError::Overwrites { .. }
            | RegistryError::Store { .. }
            | RegistryError::Vanished => StatusCode::SERVICE_UNAVAILABLE,
            RegistryError::Location { .. }
            | RegistryError::Certificates { .. }
            | RegistryError::Open { .. }
            | RegistryError::NumbersUsedUp { .. }
            | RegistryError::Corrupt { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

fn hs_status(error: &HsError) -> StatusCode {
    match error {
        HsError::NotMultipart => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        HsError::UnknownId { .. } | HsError::UnknownAggregation(_) => StatusCode::NOT_FOUND,
        HsError::NoProfiles => StatusCode::NOT_IMPLEMENTED,
        HsError::Exists(_) | HsError::Renamed { .. } => StatusCode::CONFLICT,
        HsError::PartTooLong { .. } | HsError::Archive(ArchiveError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        HsError::Multipart(_)
        | HsError::MissingPart(_)
        | HsError::PartTwice(_)
        | HsError::PartText(_)
        | HsError::ModelName(_)
        | HsError::Archive(_)
        | HsError::NoId => StatusCode::BAD_REQUEST,
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        Self::Inference(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let reason = self.reason();
        // A refusal for load or time is the plan, not a failure; whoever watches counts it in the metrics. Nor is what
        // nobody promised.
        let is_planned = reason.is_some() || status == StatusCode::NOT_IMPLEMENTED;
        let is_failure = status.is_server_error() && !is_planned;
        let kind = if status.is_server_error() {
            ErrorKind::Internal
        } else {
            ErrorKind::Client
        };
        let information = match status {
            // What failed inside is for the log: it may name files and addresses of this machine.
            StatusCode::INTERNAL_SERVER_ERROR => ErrorInformation {
                message: "internal error".to_owned(),
                ..ErrorInformation::default()
            },
            _ => self.information(),
        };
        let mut response = (
            status,
            Json(ErrorBody {
                error: kind,
                information: information.clone(),
            }),
        )
            .into_response();
        response.extensions_mut().insert(Told(information));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if let Self::ContentEncoding { .. } = self {
            response
                .headers_mut()
                .insert(header::ACCEPT_ENCODING, encoding::ACCEPTED);
        }
        if let Some(reason) = reason {
            response.extensions_mut().insert(reason);
        }
        if is_failure {
            response.extensions_mut().insert(Failure(with_causes(&self)));
        }
        response
    }
}

/// The answer in place of the one that a panic prevented.
pub(super) fn from_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    ApiError::Panic(text.unwrap_or_default()).into_response()
}
