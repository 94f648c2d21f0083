//! Which version of a model: fixed, or whatever a run publishes.

use std::{fmt, num::NonZeroU32, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::name::{ModelName, NameError};

/// What is a version, as a regular expression of JSON Schema: a name, a colon and a number.
const VERSION_PATTERN: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?:0*[1-9][0-9]{0,8}$";

/// A registered model with its version fixed, written `mnist:3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = VERSION_PATTERN))]
pub struct ModelVersion {
    /// The model.
    pub name: ModelName,
    /// Versions are counted from 1 and never reused.
    pub version: NonZeroU32,
}

/// What a manifest may ask for: a fixed version, or whatever is newest when it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSelector {
    /// `mnist`: the version that the delivery run publishes, or else the newest one.
    Newest(ModelName),
    /// `mnist:3`.
    Fixed(ModelVersion),
}

/// Why a text is not a model version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VersionError {
    /// The part before the colon.
    #[error("wrong model name")]
    Name(#[from] NameError),
    /// No colon.
    #[error("`{0}` has no version, expected `name:number` such as `mnist:3`")]
    Missing(String),
    /// The part behind the colon.
    #[error("`{0}` is not a version, expected a whole number from 1 such as `mnist:3`")]
    Number(String),
}

impl FromStr for ModelVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let (name, number) = text
            .split_once(':')
            .ok_or_else(|| VersionError::Missing(text.to_owned()))?;
        let digits_only = number.bytes().all(|byte| byte.is_ascii_digit());
        let version = number.parse().ok().filter(|_| digits_only);
        Ok(Self {
            name: name.parse()?,
            version: version.ok_or_else(|| VersionError::Number(number.to_owned()))?,
        })
    }
}

impl TryFrom<String> for ModelVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<ModelVersion> for String {
    fn from(version: ModelVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for ModelVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.name, self.version)
    }
}

impl FromStr for ModelSelector {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.contains(':') {
            text.parse().map(Self::Fixed)
        } else {
            Ok(Self::Newest(text.parse()?))
        }
    }
}

impl fmt::Display for ModelSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest(name) => name.fmt(formatter),
            Self::Fixed(version) => version.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_as_it_is_read() {
        let version: ModelVersion = "mnist:3".parse().unwrap();
        assert_eq!((version.name.as_str(), version.version.get()), ("mnist", 3));
        assert_eq!(version.to_string(), "mnist:3");
        assert_eq!(serde_json::to_string(&version).unwrap(), r#""mnist:3""#);
    }

    #[test]
    fn a_version_cannot_mean_newest() {
        for text in [
            "mnist",
            "mnist:latest",
            "mnist:0",
            "mnist:",
            "mnist:-1",
            "mnist:+1",
            "mnist:1:2",
            ":1",
        ] {
            assert!(text.parse::<ModelVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_selector_without_a_colon_asks_for_the_newest() {
        assert!(matches!("mnist".parse(), Ok(ModelSelector::Newest(_))));
        assert!(matches!("mnist:2".parse(), Ok(ModelSelector::Fixed(_))));
        assert!("mnist:latest".parse::<ModelSelector>().is_err());
    }
}
