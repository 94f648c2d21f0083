//! Times as the original writes them: without a zone, which is UTC here.

use jiff::Timestamp;

/// A time in milliseconds since 1970-01-01 UTC, such as `2019-01-09T12:00:00.123`.
pub(super) fn text(at_ms: u64) -> String {
    let at = i64::try_from(at_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_milliseconds_and_no_zone() {
        assert_eq!(text(1_547_035_200_123), "2019-01-09T12:00:00.123");
        assert_eq!(text(0), "1970-01-01T00:00:00.000");
        assert_eq!(text(u64::MAX), "1970-01-01T00:00:00.000");
    }
}
