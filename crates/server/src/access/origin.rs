//! Which page in a browser a request comes from.
//!
//! A browser on the operator's machine reaches every server there, also for a page of a stranger: it sends a form or plain
//! bytes for it without asking the server first. It says in `origin` whose page it is (Fetch standard, section 3.1), for
//! everything that can change something; other programs send no such header.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

/// The page's origin, where a request comes from one that no server on this machine sent.
pub(super) fn foreign(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::ORIGIN)?.as_bytes();
    (!is_loopback(value)).then(|| String::from_utf8_lossy(value).into_owned())
}

/// Whether an origin, such as `http://localhost:8080`, is on this machine. `null`, which a page in a sandbox has, is not.
fn is_loopback(origin: &[u8]) -> bool {
    let Ok(uri) = Uri::try_from(origin) else {
        return false;
    };
    let Some(host) = uri.scheme().and(uri.host()) else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_this_machine_is_told_from_a_strangers() {
        for local in [
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://localhost:3000",
            "https://LOCALHOST",
            "http://[::1]:8080",
        ] {
            assert!(is_loopback(local.as_bytes()), "{local}");
        }
        for strange in [
            "http://example.org",
            "http://127.0.0.1.example.org",
            "http://localhost.example.org:8080",
            "https://10.0.0.7",
            "http://[2001:db8::1]",
            "null",
            "localhost",
            "",
            "http://\u{e9}",
        ] {
            assert!(!is_loopback(strange.as_bytes()), "{strange}");
        }
    }
}
