//! Files of secrets, one a line: the tokens of who manages a server, and the keys of who asks it.

use std::{collections::HashMap, fmt};

use thiserror::Error;

use crate::name::{ClientName, NameError};

/// A secret, and whose it is.
///
/// Invariant: [`SECRET_MIN`] to [`SECRET_MAX`] visible ASCII characters, so that it fits into a header.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    name: Option<ClientName>,
    text: String,
}

/// Fewest characters of a secret: eight random bytes as hexadecimal digits, which nobody finds by trying.
pub const SECRET_MIN: usize = 16;
/// Most characters of a secret: room for any token, and none for a file of something else.
pub const SECRET_MAX: usize = 512;

/// A file is none of secrets. What stands there is not told: it may be one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretsError {
    /// Nothing but blank lines and remarks.
    #[error("there is no secret in it, expected one a line")]
    Empty,
    /// Too easy to guess, or no secret at all.
    #[error("line {line}: a secret of {length} characters, expected {SECRET_MIN} to {SECRET_MAX}")]
    Length {
        /// Counted from 1.
        line: usize,
        /// Its length in bytes.
        length: usize,
    },
    /// A character that no header has.
    #[error("line {line}: a blank or another character in a secret that is not visible ASCII")]
    Character {
        /// Counted from 1.
        line: usize,
    },
    /// What stands before the colon names nobody.
    #[error("line {line}: wrong name before the colon")]
    Name {
        /// Counted from 1.
        line: usize,
    },
    /// One secret of two holders tells nobody apart.
    #[error("line {line}: the same secret as in line {first}")]
    Twice {
        /// Counted from 1.
        line: usize,
        /// The line in which it stands first.
        first: usize,
    },
}

impl Secret {
    /// Whose it is, where the file says so.
    pub fn name(&self) -> Option<&ClientName> {
        self.name.as_ref()
    }

    /// The secret itself. Whoever asks for it must not let it into a log, an error or an answer.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

/// A secret that is printed by accident is still one.
impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Secret")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Understands a file of secrets: `name:secret` or `secret` in a line. Blank lines, and those that begin with `#`, say
/// nothing.
pub fn parse(text: &str) -> Result<Vec<Secret>, SecretsError> {
    let (mut secrets, mut lines) = (Vec::new(), HashMap::new());
    for (index, content) in text.lines().enumerate() {
        let (line, content) = (index + 1, content.trim());
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let secret = secret(line, content)?;
        if let Some(first) = lines.insert(secret.text.clone(), line) {
            return Err(SecretsError::Twice { line, first });
        }
        secrets.push(secret);
    }
    match secrets.is_empty() {
        true => Err(SecretsError::Empty),
        false => Ok(secrets),
    }
}

fn secret(line: usize, content: &str) -> Result<Secret, SecretsError> {
    let (name, text) = match content.split_once(':') {
        Some((name, text)) => {
            let name = name.trim_end().parse();
            (
                Some(name.map_err(|_: NameError| SecretsError::Name { line })?),
                text.trim_start(),
            )
        }
        None => (None, content),
    };
    if !(SECRET_MIN..=SECRET_MAX).contains(&text.len()) {
        let length = text.len();
        return Err(SecretsError::Length { line, length });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SecretsError::Character { line });
    }
    let text = text.to_owned();
    Ok(Secret { name, text })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&match parse(text) {
            Ok(secrets) => secrets
                .iter()
                .map(|secret| {
                    let name = secret.name().map(ToString::to_string).unwrap_or_default();
                    format!("{name} {}\n", secret.reveal())
                })
                .collect(),
            Err(error) => error.to_string(),
        });
    }

    #[test]
    fn a_line_is_a_secret_with_or_without_a_name() {
        check(
            "# who may ask\n\nalice:0123456789abcdef\r\n  bob : fedcba9876543210 \n+/=0123456789abc:\n",
            expect!["line 5: wrong name before the colon"],
        );
        check(
            "# who may ask\n\nalice:0123456789abcdef\r\n  bob : fedcba9876543210 \n+/=0123456789abcd",
            expect![[r#"
                alice 0123456789abcdef
                bob fedcba9876543210
                 +/=0123456789abcd
            "#]],
        );
    }

    #[test]
    fn a_file_that_is_none_is_refused_without_a_word_of_it() {
        check(
            "\n# nothing\n",
            expect!["there is no secret in it, expected one a line"],
        );
        check(
            "\nshort\n",
            expect!["line 2: a secret of 5 characters, expected 16 to 512"],
        );
        check(
            &"x".repeat(513),
            expect!["line 1: a secret of 513 characters, expected 16 to 512"],
        );
        check(
            "0123456789 abcdef",
            expect!["line 1: a blank or another character in a secret that is not visible ASCII"],
        );
        check(
            "a:0123456789abcdef\nb:0123456789abcdef",
            expect!["line 2: the same secret as in line 1"],
        );
    }

    #[test]
    fn a_secret_that_is_printed_shows_its_name_only() {
        let secrets = parse("alice:0123456789abcdef").unwrap();
        assert_eq!(
            format!("{secrets:?}"),
            r#"[Secret { name: Some(ClientName("alice")), .. }]"#
        );
    }

    proptest! {
        #[test]
        fn any_text_gives_secrets_that_fit_into_a_header_or_an_error(text in "\\PC{0,80}(\n\\PC{0,80}){0,4}") {
            for secret in parse(&text).unwrap_or_default() {
                prop_assert!(secret.reveal().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(secret.reveal().len() >= SECRET_MIN);
            }
        }
    }
}
