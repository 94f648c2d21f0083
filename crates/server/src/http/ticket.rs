//! The number that decides which version answers a request.

use axum::http::{HeaderMap, header};

use formats::sticky::Sticky;
use inference::Route;

/// A ticket for a request with these headers: the same for the same client where the application tells clients apart,
/// and a random one otherwise.
pub(super) fn draw(route: &Route, headers: &HeaderMap) -> u64 {
    let value = route.sticky().and_then(|sticky| value(sticky, headers));
    value.map_or_else(|| fastrand::u64(..), |value| route.ticket_of(value))
}

fn value<'a>(sticky: &Sticky, headers: &'a HeaderMap) -> Option<&'a [u8]> {
    let value = match sticky {
        Sticky::Header(name) => headers.get(name.as_str())?.as_bytes(),
        Sticky::Cookie(name) => cookie(name.as_str(), headers)?,
    };
    (!value.is_empty()).then_some(value)
}

fn cookie<'a>(name: &str, headers: &'a HeaderMap) -> Option<&'a [u8]> {
    let headers = headers.get_all(header::COOKIE).iter();
    let mut pairs = headers.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_of(name: &str) -> Sticky {
        Sticky::Header(name.parse().unwrap())
    }

    fn cookie_of(name: &str) -> Sticky {
        Sticky::Cookie(name.parse().unwrap())
    }

    #[test]
    fn the_value_of_a_header_or_cookie_is_found() {
        let mut headers = HeaderMap::new();
        headers.insert("x-user-id", "alice".parse().unwrap());
        headers.insert("x-empty", "".parse().unwrap());
        headers.append("cookie", "theme=dark; session=a=b;empty=".parse().unwrap());
        headers.append("cookie", "late=yes".parse().unwrap());
        for (sticky, expected) in [
            (header_of("X-User-Id"), Some("alice")),
            (header_of("x-empty"), None),
            (header_of("x-other"), None),
            (cookie_of("theme"), Some("dark")),
            (cookie_of("session"), Some("a=b")),
            (cookie_of("late"), Some("yes")),
            (cookie_of("empty"), None),
            (cookie_of("them"), None),
            (cookie_of("Theme"), None),
        ] {
            assert_eq!(value(&sticky, &headers), expected.map(str::as_bytes), "{sticky:?}");
        }
    }
}
