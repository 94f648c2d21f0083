//! Names of models, applications and signatures: parsed once, wrong never.

use std::{borrow::Borrow, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest name, in bytes: what a label of Kubernetes and of DNS may have.
pub const NAME_MAX: usize = 63;

/// What is a name, as a regular expression of JSON Schema; the length comes on top of it.
const NAME_PATTERN: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing there.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than [`NAME_MAX`].
    #[error("name of {0} bytes, expected at most {NAME_MAX}")]
    TooLong(usize),
    /// A byte that names do not have, or not at this place.
    #[error("`{found}` at position {position} of the name `{name}`, expected {expected}")]
    Character {
        /// The whole text, for the message.
        name: String,
        /// Counted in characters, from 1.
        position: usize,
        /// The offending character.
        found: char,
        /// What may stand there.
        expected: &'static str,
    },
}

/// Names become folder names, URL segments and label values, so they hold letters, digits, `-`, `_` and `.`, and
/// start and end with a letter or digit: a path or a blank can never be one.
fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_MAX {
        return Err(NameError::TooLong(text.len()));
    }
    let last = text.chars().count() - 1;
    for (index, found) in text.chars().enumerate() {
        let at_an_end = index == 0 || index == last;
        let fits = found.is_ascii_alphanumeric() || (!at_an_end && matches!(found, '-' | '_' | '.'));
        if !fits {
            let expected = if at_an_end {
                "an ASCII letter or digit"
            } else {
                "an ASCII letter, digit, `-`, `_` or `.`"
            };
            return Err(NameError::Character {
                name: text.to_owned(),
                position: index + 1,
                found,
                expected,
            });
        }
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Invariant: 1 to [`NAME_MAX`] ASCII letters, digits, `-`, `_`, `.`, a letter or digit at both ends.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = NAME_PATTERN, "maxLength" = NAME_MAX))]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// So that what has a name is found by any text, which then is one.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text).map(|()| Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                check(&text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

name_type! {
    /// The name under which versions of one model are registered.
    ModelName
}
name_type! {
    /// The name under which an application answers requests.
    ApplicationName
}
name_type! {
    /// The name of one way to call a model, the last segment of the predict address.
    SignatureName
}
name_type! {
    /// The name of somebody who holds a secret of a server.
    ClientName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_names() {
        for text in ["mnist", "mnist-app", "a", "7", "v1.2_b", &"x".repeat(NAME_MAX)] {
            assert_eq!(text.parse::<ModelName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_path_is_not_a_name() {
        for text in [
            "../etc", "a/b", ".hidden", "a\\b", "a b", "ä", "-a", "a-", "a:1", "a%2f",
        ] {
            assert!(
                matches!(text.parse::<ModelName>(), Err(NameError::Character { .. })),
                "{text}"
            );
        }
        assert_eq!("".parse::<ModelName>(), Err(NameError::Empty));
        assert_eq!("x".repeat(64).parse::<ModelName>(), Err(NameError::TooLong(64)));
    }

    #[test]
    fn a_wrong_character_is_shown_with_its_place() {
        let error = "mnist/app".parse::<ApplicationName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/` at position 6 of the name `mnist/app`, expected an ASCII letter, digit, `-`, `_` or `.`"
        );
    }
}
