//! Where a server answers.

use std::{fmt, net::SocketAddr, str::FromStr};

use thiserror::Error;

/// The URL of a server without a slash at its end, such as `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

/// The text is not the URL of a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not the address of a server, expected one such as `http://127.0.0.1:8080`")]
pub struct ServerUrlError(String);

impl ServerUrl {
    /// How a server that listens at `address` is reached from the same machine.
    pub fn of_listener(mut address: SocketAddr) -> Self {
        // A listener on every address (`0.0.0.0`) has no address of its own; the loopback one is among them.
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        Self(format!("http://{address}"))
    }

    /// The URL of `path`, which starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let error = || ServerUrlError(text.to_owned());
        // The tutorial's `HOST_ADDRESS` came with and without a scheme.
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let uri: ureq::http::Uri = with_scheme.trim_end_matches('/').parse().map_err(|_| error())?;
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let is_bare = uri.path().trim_end_matches('/').is_empty() && uri.query().is_none();
        if has_host && is_http && is_bare {
            Ok(Self(uri.to_string().trim_end_matches('/').to_owned()))
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_last_slash_may_be_left_out_or_not() {
        for text in ["127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
            let url: ServerUrl = text.parse().unwrap();
            assert_eq!(url.join("/readyz"), "http://127.0.0.1:8080/readyz");
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for text in [
            "",
            "http://",
            "ftp://host",
            "http://host/path",
            "http://host?x=1",
            "a b",
        ] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_over_the_loopback() {
        let reached = |text: &str| ServerUrl::of_listener(text.parse().unwrap()).to_string();
        assert_eq!(reached("0.0.0.0:8080"), "http://127.0.0.1:8080");
        assert_eq!(reached("[::]:8080"), "http://[::1]:8080");
        assert_eq!(reached("10.0.0.7:80"), "http://10.0.0.7:80");
    }
}
