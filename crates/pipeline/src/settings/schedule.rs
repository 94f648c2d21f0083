//! When something is done again and again, as cron writes it.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Five fields, or a word such as `@daily`; what each field may hold, the cluster knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(String);

/// The text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected the five fields of cron, such as `30 2 * * *`, or a word such as `@daily`, found `{0}`")]
pub struct ScheduleError(String);

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let is_field = |field: &str| field.chars().all(|c| c.is_ascii_alphanumeric() || "*/,-?".contains(c));
        let is_word = text
            .strip_prefix('@')
            .is_some_and(|word| !word.is_empty() && word.chars().all(char::is_alphabetic));
        let has_fields = text.split_whitespace().count() == 5 && text.split_whitespace().all(is_field);
        match is_word || has_fields {
            true => Ok(Self(text.to_owned())),
            false => Err(ScheduleError(text.to_owned())),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_five_fields_or_is_a_word() {
        for right in ["30 2 * * *", "*/5 0-6,12 1 JAN MON-FRI", "@daily"] {
            assert_eq!(right.parse::<Schedule>().unwrap().to_string(), right);
        }
        for wrong in ["", "daily", "@", "30 2 * *", "30 2 * * * *", "30 2 * * $"] {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
    }
}
