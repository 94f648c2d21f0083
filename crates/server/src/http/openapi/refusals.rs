//! The error answers: one form, and one example for each status.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use formats::api::{ErrorBody, ErrorInformation, ErrorKind};

use crate::http::{dialect::Dialect, openapi::JSON};

/// The statuses of errors, what each means, and what a message may say.
const REFUSALS: [(StatusCode, &str, &str); 10] = [
    (
        StatusCode::BAD_REQUEST,
        "The request is wrong; the answer names the place where there is one.",
        "imgs[3][17]: expected 28 numbers, found 27",
    ),
    (
        StatusCode::UNAUTHORIZED,
        "It takes a token or key, and none that the server knows was presented.",
        "management takes a token that this server knows",
    ),
    (
        StatusCode::FORBIDDEN,
        "Management is not offered at this address.",
        "management is offered at a loopback address, or to who has a token: this server has neither",
    ),
    (
        StatusCode::NOT_FOUND,
        "There is no such thing.",
        "version `mnist:7` is not registered",
    ),
    (
        StatusCode::CONFLICT,
        "The request is in order, but does not go with what is there.",
        "the idempotency key `run-1` belongs to `mnist:1`, which is another artifact",
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        "More bytes or images than may be.",
        "the body is too long",
    ),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is not announced as what belongs here.",
        "the body must be announced as `application/json` in the `content-type` header",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "A defect of the server, whose log tells more.",
        "internal error",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many requests, too early, or no registry: worth another attempt.",
        "as many requests are worked on as may be",
    ),
    (
        StatusCode::GATEWAY_TIMEOUT,
        "Not finished in time.",
        "not finished within 30000 ms",
    ),
];

/// The name of an error answer among the document's components.
pub(super) fn component(dialect: Dialect, status: StatusCode) -> String {
    let form = match dialect {
        Dialect::Plain => "PlainError",
        _ => "Error",
    };
    format!("{form}{}", status.as_u16())
}

/// All error answers, by name, in each dialect with the schema of its bodies.
pub(super) fn all(dialects: &[(Dialect, Value)]) -> Value {
    let mut refusals = Map::new();
    let all = REFUSALS
        .iter()
        .flat_map(|refusal| dialects.iter().map(move |dialect| (*refusal, dialect)));
    for ((status, what, message), (dialect, schema)) in all {
        let content = json!({JSON: {"schema": schema, "example": example(*dialect, status, message)}});
        let mut refusal = json!({"description": what, "content": content});
        if status == StatusCode::SERVICE_UNAVAILABLE {
            refusal["headers"]["retry-after"] = json!({
                "description": "Seconds after which another attempt is worth it.",
                "required": true,
                "schema": {"type": "string", "pattern": "^[0-9]+$"},
            });
        }
        refusals.insert(component(*dialect, status), refusal);
    }
    refusals.into()
}

fn example(dialect: Dialect, status: StatusCode, message: &str) -> Value {
    let error = match status.is_server_error() {
        true => ErrorKind::Internal,
        false => ErrorKind::Client,
    };
    let information = ErrorInformation {
        message: message.to_owned(),
        ..ErrorInformation::default()
    };
    match dialect {
        Dialect::Plain => json!({"error": message}),
        _ => json!(ErrorBody { error, information }),
    }
}
