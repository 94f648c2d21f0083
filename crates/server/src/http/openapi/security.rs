//! The secrets that this server takes, as the document names them.

use serde_json::{Value, json};

use crate::{Access, http::RouteClass};

const MANAGEMENT_TOKEN: &str = "managementToken";
const API_KEY: &str = "apiKey";

/// All kinds of secrets.
pub(super) fn schemes() -> Value {
    json!({
        MANAGEMENT_TOKEN: {
            "type": "http", "scheme": "bearer", "description": "Decides what the server answers.",
        },
        API_KEY: {
            "type": "apiKey", "in": "header", "name": "x-api-key",
            "description": "Asks for predictions; `authorization: Bearer …` is understood, too.",
        },
    })
}

/// The secrets that requests of a class take here; none where everybody may.
pub(super) fn requirement(access: &Access, class: RouteClass) -> Option<Value> {
    let scheme = if class.is_management() && access.takes_tokens() {
        MANAGEMENT_TOKEN
    } else if class.is_prediction() && access.takes_api_keys() {
        API_KEY
    } else {
        return None;
    };
    Some(json!([{scheme: []}]))
}
