//! Amounts as Kubernetes writes them.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// An amount of memory, storage or CPU: a whole number with a unit, such as `256Mi` or `500m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity(String);

/// The text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a whole number with one of the units m, Ki, Mi, Gi, Ti, such as `256Mi`, found `{0}`")]
pub struct QuantityError(String);

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_whole = digits.parse::<u32>().is_ok_and(|number| number > 0) && !digits.starts_with('+');
        let is_known = matches!(&text[digits.len()..], "m" | "Ki" | "Mi" | "Gi" | "Ti");
        match is_whole && is_known {
            true => Ok(Self(text.to_owned())),
            false => Err(QuantityError(text.to_owned())),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_a_unit_and_is_more_than_nothing() {
        for right in ["256Mi", "500m", "1Gi"] {
            assert_eq!(right.parse::<Quantity>().unwrap().to_string(), right);
        }
        for wrong in ["", "256", "0Mi", "-1Gi", "+1Gi", "1.5Gi", "1GB", "Mi", "1 Gi"] {
            assert!(wrong.parse::<Quantity>().is_err(), "{wrong}");
        }
    }
}
