//! The trace that a request belongs to: the header `traceparent` of W3C Trace Context.

use axum::http::{HeaderMap, HeaderName};

/// The header that carries the trace from caller to callee. For answers the recommendation defines none.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Bytes of version 00: two digits, 32, 16 and two, with dashes between.
const N_BYTES: usize = 55;

/// A caller's place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// The trace; never zero.
    pub(crate) trace_id: u128,
    /// The span that called; never zero.
    pub(crate) parent_id: u64,
    /// Whether the caller records its part.
    pub(crate) is_sampled: bool,
}

impl TraceContext {
    /// The trace context of a request; none where the header is missing, there twice, or not in order, as the
    /// recommendation wants it.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACE_PARENT).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.as_bytes()),
            _ => None,
        }
    }

    /// Reads `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`; of later versions, the part that is the same.
    fn parse(text: &[u8]) -> Option<Self> {
        let (known, rest) = text.split_at_checked(N_BYTES)?;
        let dashes = [2, 35, 52].map(|place| known[place]);
        let version = hex(&known[..2])?;
        let rest_fits = match version {
            0 => rest.is_empty(),
            1..=254 => matches!(rest, [] | [b'-', ..]),
            _ => false,
        };
        let trace_id = hex(&known[3..35])?;
        let parent_id = hex(&known[36..52])? as u64;
        let flags = hex(&known[53..])?;
        let is_valid = dashes == *b"---" && rest_fits && trace_id != 0 && parent_id != 0;
        is_valid.then_some(Self {
            trace_id,
            parent_id,
            is_sampled: flags & 1 == 1,
        })
    }
}

/// Hexadecimal digits as a number; capital letters are not allowed.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT_ID: &str = "00f067aa0ba902b7";

    fn parse(text: &str) -> Option<TraceContext> {
        TraceContext::parse(text.as_bytes())
    }

    #[test]
    fn the_examples_of_the_recommendation_are_understood() {
        let expected = TraceContext {
            trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            parent_id: 0x00f0_67aa_0ba9_02b7,
            is_sampled: true,
        };
        let first = format!("00-{TRACE_ID}-{PARENT_ID}-01");
        assert_eq!(parse(&first), Some(expected));
        // Only the lowest flag has a meaning.
        assert_eq!(parse(&format!("00-{TRACE_ID}-{PARENT_ID}-ff")), Some(expected));
        let not_sampled = TraceContext {
            is_sampled: false,
            ..expected
        };
        for flags in ["00", "fe", "02"] {
            assert_eq!(parse(&format!("00-{TRACE_ID}-{PARENT_ID}-{flags}")), Some(not_sampled));
        }
        // A later version may be longer, behind a dash.
        for later in ["", "-", "-what-the-future-will-be-like"] {
            assert_eq!(parse(&format!("cc-{TRACE_ID}-{PARENT_ID}-01{later}")), Some(expected));
        }
    }

    #[test]
    fn what_the_recommendation_calls_invalid_is_none() {
        for text in [
            "",
            "00",
            // All zero.
            &format!("00-{}-{PARENT_ID}-01", "0".repeat(32)),
            &format!("00-{TRACE_ID}-{}-01", "0".repeat(16)),
            // Version ff, and versions that are no numbers.
            &format!("ff-{TRACE_ID}-{PARENT_ID}-01"),
            &format!(".0-{TRACE_ID}-{PARENT_ID}-01"),
            &format!("0.-{TRACE_ID}-{PARENT_ID}-01"),
            // Longer than version 00, or longer without a dash.
            &format!("00-{TRACE_ID}-{PARENT_ID}-01-"),
            &format!("00-{TRACE_ID}-{PARENT_ID}-01.what-the-future-will-not-be-like"),
            &format!("cc-{TRACE_ID}-{PARENT_ID}-01.what-the-future-will-not-be-like"),
            // Capital letters, other letters, and blanks.
            &format!("00-{}-{PARENT_ID}-01", TRACE_ID.to_uppercase()),
            &format!("00-{TRACE_ID}-{}-01", PARENT_ID.to_uppercase()),
            &format!("00-.{}-{PARENT_ID}-01", &TRACE_ID[1..]),
            &format!("00-{TRACE_ID}-.{}-01", &PARENT_ID[1..]),
            &format!("00-{TRACE_ID}-{PARENT_ID}-.1"),
            &format!(" 00-{TRACE_ID}-{PARENT_ID}-01"),
            // Fields that are too short or too long, and other signs between them.
            &format!("0-{TRACE_ID}-{PARENT_ID}-01"),
            &format!("000-{TRACE_ID}-{PARENT_ID}-01"),
            &format!("00-{}-{PARENT_ID}-01", &TRACE_ID[1..]),
            &format!("00-0{TRACE_ID}-{PARENT_ID}-01"),
            &format!("00-{TRACE_ID}-{}-01", &PARENT_ID[1..]),
            &format!("00-{TRACE_ID}-0{PARENT_ID}-01"),
            &format!("00-{TRACE_ID}-{PARENT_ID}-1"),
            &format!("00-{TRACE_ID}-{PARENT_ID}-001"),
            &format!("00_{TRACE_ID}-{PARENT_ID}-01"),
            &format!("00-{TRACE_ID}_{PARENT_ID}-01"),
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn two_parents_are_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(TraceContext::of(&headers), None);
        let value: HeaderValue = format!("00-{TRACE_ID}-{PARENT_ID}-01").parse().unwrap();
        headers.append(TRACE_PARENT, value.clone());
        assert!(TraceContext::of(&headers).is_some());
        headers.append(TRACE_PARENT, value);
        assert_eq!(TraceContext::of(&headers), None);
    }
}
