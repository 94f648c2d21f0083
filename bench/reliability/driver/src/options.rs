//! What the driver is told.

use std::net::SocketAddr;

/// What the driver is told. It is called by our own benchmark only, so its options are words and values, no more.
pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    /// The file with the body of each request.
    pub(crate) body: String,
    pub(crate) connections: u32,
    pub(crate) seconds: f64,
    /// Requests a second, of all connections together; as many as the server answers where it is not given.
    pub(crate) rate: Option<f64>,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            path: String::new(),
            body: String::new(),
            connections: 16,
            seconds: 1.0,
            rate: None,
        };
        for argument in arguments {
            let (name, value) = argument
                .split_once('=')
                .ok_or_else(|| format!("expected `name=value`, found `{argument}`"))?;
            match name {
                "--address" => options.address = read(&argument, value)?,
                "--path" => options.path = value.to_owned(),
                "--body" => options.body = value.to_owned(),
                "--connections" => options.connections = read(&argument, value)?,
                "--seconds" => options.seconds = read(&argument, value)?,
                "--rate" => options.rate = Some(read(&argument, value)?),
                _ => return Err(format!("unknown option in `{argument}`")),
            }
        }
        if options.path.is_empty() || options.body.is_empty() {
            return Err("`--path` and `--body` are missing".to_owned());
        }
        Ok(options)
    }
}

fn read<T: std::str::FromStr>(argument: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("wrong value in `{argument}`"))
}
