//! The page at `/`, as a browser gets it.

use axum::http::header;
use base64::{Engine, prelude::BASE64_STANDARD};
use formats::digest::Digest;
use http_body_util::BodyExt;

use crate::support::{Fixture, get};

/// What stands in the page between these two texts.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

#[tokio::test]
async fn the_page_allows_its_own_style_and_script_and_nothing_else() {
    let response = Fixture::empty().await.send(get("/")).await;
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    let page = response.into_body().collect().await.unwrap().to_bytes();
    let page = std::str::from_utf8(&page).unwrap();
    let source = |text: &str| BASE64_STANDARD.encode(Digest::of(text.as_bytes()).as_bytes());
    let style = source(between(page, "<style>", "</style>"));
    let script = source(between(page, "<script type=\"module\">", "</script>"));
    for directive in [
        "default-src 'none'".to_owned(),
        format!("style-src 'sha256-{style}'"),
        format!("script-src 'sha256-{script}'"),
        "connect-src 'self'".to_owned(),
        "frame-ancestors 'none'".to_owned(),
    ] {
        assert!(
            policy.split("; ").any(|found| found == directive),
            "{directive}: {policy}"
        );
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    // Small enough to be there at once.
    assert!(page.len() < 40_000, "{} bytes", page.len());
    for forbidden in ["http://", "https://", "innerHTML", " style=\"", " onclick"] {
        let found = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(forbidden), "{forbidden}");
    }
}
