//! By what a request is told from others, so that the same client gets the same version.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{digest::Digest, name::ApplicationName};

/// Requests with the same value there get the same share of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sticky {
    /// The value of a header.
    Header(FieldName),
    /// The value of a cookie.
    Cookie(FieldName),
}

/// The name of a header or cookie.
///
/// Invariant: 1 to [`FIELD_NAME_MAX`] ASCII letters, digits, `-`, `_` and `.`, of which HTTP knows more and nobody uses
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[A-Za-z0-9._-]+$", "maxLength" = FIELD_NAME_MAX))]
pub struct FieldName(String);

/// Longest name of a header or cookie, in bytes.
pub const FIELD_NAME_MAX: usize = 63;

/// Why a text is not the name of a header or cookie.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FieldNameError {
    /// Nothing there, or far too much.
    #[error("name of {0} bytes, expected 1 to {FIELD_NAME_MAX}")]
    Length(usize),
    /// A character that such names do not have.
    #[error("`{found}` in the name `{name}`, expected ASCII letters, digits, `-`, `_` and `.`")]
    Character {
        /// The whole text, for the message.
        name: String,
        /// The offending character.
        found: char,
    },
}

impl Sticky {
    /// The ticket of a request with `value` there: the same for ever, on every server, and another for another
    /// application, so that it is not always the same clients who try what is new.
    pub fn ticket(application: &ApplicationName, value: &[u8]) -> u64 {
        let text = [application.as_str().as_bytes(), &[0], value].concat();
        let digest = Digest::of(&text);
        let (first, _) = digest.as_bytes().split_first_chunk().expect("a digest has 32 bytes");
        u64::from_be_bytes(*first)
    }
}

impl FieldName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FieldName {
    type Err = FieldNameError;

    fn from_str(text: &str) -> Result<Self, FieldNameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for FieldName {
    type Error = FieldNameError;

    fn try_from(text: String) -> Result<Self, FieldNameError> {
        let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
        if !(1..=FIELD_NAME_MAX).contains(&text.len()) {
            return Err(FieldNameError::Length(text.len()));
        }
        match text.chars().find(|character| !fits(*character)) {
            None => Ok(Self(text)),
            Some(found) => Err(FieldNameError::Character { name: text, found }),
        }
    }
}

impl From<FieldName> for String {
    fn from(name: FieldName) -> Self {
        name.0
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_the_same_for_ever() {
        let ticket = |application: &str, value: &str| Sticky::ticket(&application.parse().unwrap(), value.as_bytes());
        // The first 16 digits of `printf 'mnist-app\0alice' | sha256sum`.
        assert_eq!(ticket("mnist-app", "alice"), 0xc408_d972_c98d_9675);
        assert_ne!(ticket("mnist-app", "alice"), ticket("other-app", "alice"));
        assert_ne!(ticket("mnist-app", "alice"), ticket("mnist-app", "bob"));
    }

    #[test]
    fn tickets_of_many_clients_follow_the_weights() {
        let application = "mnist-app".parse().unwrap();
        let below = |limit: u64| {
            let tickets = (0..10_000).map(|client| Sticky::ticket(&application, format!("client-{client}").as_bytes()));
            tickets.filter(|ticket| ticket % 100 < limit).count()
        };
        // Ten standard deviations of the count are 458, 218 and 500.
        for (limit, tolerance) in [(30, 458), (5, 218), (50, 500)] {
            let (expected, found) = (limit as usize * 100, below(limit));
            assert!(found.abs_diff(expected) < tolerance, "{found} of 10,000 below {limit}");
        }
    }

    #[test]
    fn a_name_is_one_that_http_knows() {
        for right in ["x-user-id", "SESSION", "__Host-id", "a"] {
            assert_eq!(right.parse::<FieldName>().unwrap().as_str(), right);
        }
        for wrong in ["", "a b", "a:b", "ä", "a\n", "a;b", "a=b", &"x".repeat(64)] {
            assert!(wrong.parse::<FieldName>().is_err(), "{wrong:?}");
        }
        let error = "user id".parse::<FieldName>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("` ` in the name `user id`, expected ASCII"),
            "{error}"
        );
    }
}
