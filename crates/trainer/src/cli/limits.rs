//! Flags that say when a training ends.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;

use crate::limits::Limits;

/// Longest time of a training: a week.
const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Whatever comes first ends the training.
#[derive(Debug, Clone, Args)]
pub struct LimitArgs {
    /// Passes over the training images, in place of `--steps`
    #[arg(long, value_name = "N", conflicts_with = "steps", value_parser = epochs, allow_negative_numbers = true)]
    pub epochs: Option<NonZeroU32>,

    /// Longest time of the training: seconds, or such as 90s, 5m or 2h. The step size goes on as if there were no limit
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true)]
    pub time_limit: Option<Duration>,

    /// Keep the last N training images out of the training, and watch the accuracy on them
    #[arg(long, value_name = "N", value_parser = held_out, allow_negative_numbers = true)]
    pub held_out: Option<NonZeroU32>,

    /// End after N looks at the held-out images without more right answers, and keep the best weights. A run has 20 looks
    #[arg(long, value_name = "N", requires = "held_out", value_parser = patience, allow_negative_numbers = true)]
    pub patience: Option<NonZeroU32>,

    /// Take 20 steps through everything, into files of their own (`mnist.smoke.safetensors`, …)
    #[arg(long)]
    pub smoke: bool,
}

impl LimitArgs {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            epochs: self.epochs,
            time: self.time_limit,
            held_out: self.held_out,
            patience: self.patience,
            smoke: self.smoke,
        }
    }
}

fn epochs(text: &str) -> Result<NonZeroU32, String> {
    whole("--epochs", text)
}

fn held_out(text: &str) -> Result<NonZeroU32, String> {
    whole("--held-out", text)
}

fn patience(text: &str) -> Result<NonZeroU32, String> {
    whole("--patience", text)
}

/// A whole number above 0.
pub(super) fn whole(flag: &str, text: &str) -> Result<NonZeroU32, String> {
    text.parse()
        .map_err(|_| format!("`{flag}` takes a whole number from 1 to {}", u32::MAX))
}

fn time(text: &str) -> Result<Duration, String> {
    let (digits, seconds) = match text.char_indices().next_back() {
        Some((end, 's')) => (&text[..end], 1),
        Some((end, 'm')) => (&text[..end], 60),
        Some((end, 'h')) => (&text[..end], 3600),
        _ => (text, 1),
    };
    let time = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds));
    time.map(Duration::from_secs)
        .filter(|time| !time.is_zero() && *time <= TIME_MAX)
        .ok_or_else(|| {
            "`--time-limit` takes 1s to 168h, such as 90 or 90s for seconds, 5m for minutes, 2h for hours".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_seconds_minutes_or_hours() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("5m", 300), ("2h", 7200), ("168h", 604_800)] {
            assert_eq!(time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "0",
            "0s",
            "-1",
            "169h",
            "1.5",
            "5 m",
            "m",
            "",
            "5d",
            "99999999999999999999h",
            "ä",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
