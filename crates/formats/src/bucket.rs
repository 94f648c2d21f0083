//! The address of a registry in an S3 bucket, `s3://BUCKET/PREFIX`, and of who keeps it: parsed once, wrong never.

#[cfg(test)]
mod tests;

use std::{fmt, net::Ipv6Addr, str::FromStr};

use thiserror::Error;

/// How such an address begins.
pub const SCHEME: &str = "s3://";
/// Longest prefix, in bytes: a key has at most 1024, and ours have up to 160 behind it.
pub const PREFIX_MAX: usize = 512;

/// A bucket, and below which prefix its keys are ours.
///
/// Invariant: the bucket is 3 to 63 lower-case ASCII letters, digits, `-` and `.`, a letter or digit at both ends; the
/// prefix is empty or segments of ASCII letters, digits, `-`, `_` and `.` between single slashes, none of them dots only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    bucket: String,
    prefix: String,
}

/// Where a service that speaks S3 answers, `https://HOST:PORT`.
///
/// Invariant: a scheme of HTTP, a host that is not empty, and a port where there is one; nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    is_https: bool,
    host: String,
    port: Option<u16>,
}

/// A text is not the address of such a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an address such as `https://s3.example.com` or `http://127.0.0.1:9000`")]
pub struct EndpointError;

/// Why a text is not the address of a bucket. No message repeats the text, because people put secrets into addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BucketUrlError {
    /// Another beginning.
    #[error("expected `s3://BUCKET` or `s3://BUCKET/PREFIX`")]
    Scheme,
    /// Somebody's name and password.
    #[error("credentials do not belong into an address: they come from the environment of the server")]
    Credentials,
    /// No name of a bucket.
    #[error(
        "expected a bucket of 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends"
    )]
    Bucket,
    /// A prefix that would be written differently by different programs.
    #[error(
        "expected a prefix of letters, digits, `-`, `_` and `.` between single slashes, at most {PREFIX_MAX} bytes"
    )]
    Prefix,
}

impl BucketUrl {
    /// Whether a text is meant to be such an address, right or wrong.
    pub fn is_meant(text: &str) -> bool {
        text.get(..SCHEME.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What every key of ours begins with, without a slash at its end; empty where the whole bucket is ours.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for BucketUrl {
    type Err = BucketUrlError;

    fn from_str(text: &str) -> Result<Self, BucketUrlError> {
        let place = text.strip_prefix(SCHEME).ok_or(BucketUrlError::Scheme)?;
        if place.contains('@') {
            return Err(BucketUrlError::Credentials);
        }
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !is_bucket(bucket) {
            return Err(BucketUrlError::Bucket);
        }
        if !prefix.is_empty() && !is_prefix(prefix) {
            return Err(BucketUrlError::Prefix);
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl Endpoint {
    /// Whether it answers with a certificate.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The port at which it answers.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.is_https { 443 } else { 80 })
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (scheme, authority) = text.split_once("://").ok_or(EndpointError)?;
        let is_https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(EndpointError),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        // The colons of an address of IPv6 stand in brackets.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().map_err(|_| EndpointError)?)),
            Some(_) | None => (authority, None),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let fits = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(is_name),
        };
        let endpoint = Self {
            is_https,
            host: host.to_owned(),
            port: None,
        };
        // The port that goes without saying is not said: a signature has the name of the host without it.
        let port = port.filter(|port| *port != endpoint.port());
        fits.then_some(Self { port, ..endpoint }).ok_or(EndpointError)
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, prefix } = self;
        match prefix.as_str() {
            "" => write!(formatter, "{SCHEME}{bucket}"),
            prefix => write!(formatter, "{SCHEME}{bucket}/{prefix}"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.host)?;
        match self.port {
            Some(port) => write!(formatter, ":{port}"),
            None => Ok(()),
        }
    }
}

fn is_bucket(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let is_end = |byte: Option<&u8>| byte.is_some_and(|byte| is_inner(*byte) && byte.is_ascii_alphanumeric());
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| is_inner(*byte))
        && is_end(bytes.first())
        && is_end(bytes.last())
        && !text.contains("..")
}

/// Keys of these characters are the same text in a listing, in an address and in a signature.
fn is_prefix(text: &str) -> bool {
    let is_segment = |segment: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        segment.bytes().all(fits) && segment.bytes().any(|byte| byte != b'.')
    };
    text.len() <= PREFIX_MAX && text.split('/').all(is_segment)
}
