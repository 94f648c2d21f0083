//! The page at `/`: one document with style and scripts in it, and headers that allow nothing else.

use std::sync::LazyLock;

use axum::{
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};

use formats::digest::Digest;

/// Its media type.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// One after the other they are the script: what is used stands before what uses it.
const SCRIPTS: [&str; 4] = [
    include_str!("page/image.js"),
    include_str!("page/pad.js"),
    include_str!("page/applications.js"),
    include_str!("page/page.js"),
];

static PAGE: LazyLock<Page> = LazyLock::new(Page::new);

/// The document and what a browser may do with it.
struct Page {
    html: String,
    policy: String,
}

impl Page {
    fn new() -> Self {
        let style = include_str!("page/page.css");
        let script = SCRIPTS.join("\n");
        // The digests name the very texts, so that nothing that finds its way into the page is carried out.
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; connect-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            source(style),
            source(&script)
        );
        let html = include_str!("page/page.html")
            .replacen("{style}", style, 1)
            .replacen("{script}", &script, 1);
        Self { html, policy }
    }
}

/// Answers with the page.
pub(super) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CONTENT_SECURITY_POLICY, PAGE.policy.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // Another version of the server has another page.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE.html.as_str()).into_response()
}

/// How a content security policy names a text that stands in the page.
fn source(text: &str) -> String {
    format!(
        "sha256-{}",
        BASE64_STANDARD.encode(Digest::of(text.as_bytes()).as_bytes())
    )
}
