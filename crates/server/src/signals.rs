//! What a server tells about single requests: lines of a log, and spans.

use std::str::FromStr;

use thiserror::Error;

/// What is told about single requests.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Lines of the log.
    pub access_log: AccessLog,
    /// Spans for a collector.
    pub traces: Option<Traces>,
}

/// Which requests get a line in the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccessLog {
    /// The level.
    pub level: AccessLevel,
    /// Of the requests that went well, how many get one.
    pub sample: Share,
}

/// How much the access log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum AccessLevel {
    /// Nothing
    #[default]
    Off,
    /// Requests that were answered with a status from 400 on
    Errors,
    /// Every request, as far as it is sampled
    All,
}

/// Where spans go.
#[derive(Debug, Clone)]
pub struct Traces {
    /// The whole URL to which they are posted.
    pub url: String,
    /// Of the requests whose caller did not decide it, how many are recorded.
    pub sample: Share,
    /// Spans that may wait for the collector; more are dropped.
    pub queue_max: usize,
    /// What the spans say about who made them.
    pub service_name: String,
}

/// A part of something.
///
/// Invariant: from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

/// The text is no share.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a number from 0 to 1, found `{0}`")]
pub struct ShareError(String);

impl Default for Share {
    fn default() -> Self {
        Self(1.0)
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| ShareError(text.to_owned()))
    }
}

impl Share {
    /// Whether the thing with this number, one of many spread evenly, is in the share.
    pub(crate) fn has(self, number: u64) -> bool {
        // The upper bits that an `f64` holds exactly.
        ((number >> 11) as f64) < self.0 * (1_u64 << 53) as f64
    }

    /// Whether the thing under this id is in the share: the same on every server.
    pub(crate) fn has_id(self, id: &[u8]) -> bool {
        // FNV-1a, whose upper bits need a stir for ids that differ at their end only.
        let hash = id.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let stirred = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.has(stirred ^ (stirred >> 29))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        for text in ["0", "1", "0.25", "1e-3"] {
            assert!(text.parse::<Share>().is_ok(), "{text}");
        }
        for text in ["", "-0.1", "1.01", "NaN", "inf", "half"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError(text.to_owned())));
        }
    }

    #[test]
    fn none_is_none_and_all_is_all() {
        for number in [0, 1, 1 << 40, u64::MAX] {
            assert!(!Share(0.0).has(number));
            assert!(Share(1.0).has(number));
        }
    }

    #[test]
    fn ids_that_differ_at_their_end_only_are_sampled_evenly() {
        for share in [0.01, 0.1, 0.5] {
            let n_sampled = (0..100_000)
                .filter(|number| Share(share).has_id(format!("request-{number}").as_bytes()))
                .count();
            let expected = share * 100_000.0;
            assert!(
                (n_sampled as f64 - expected).abs() < expected * 0.1,
                "{share}: {n_sampled}"
            );
        }
    }
}
