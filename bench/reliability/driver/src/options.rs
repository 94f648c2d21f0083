//! What the driver is told.

use std::net::SocketAddr;

/// What the driver is told. It is called by our own benchmark only, so its options are words and values, no more.
pub(crate) enum Options {
    Load(Load),
    Crowd(Crowd),
}

/// Clients that ask.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    /// The file with the body of each request.
    pub(crate) body: String,
    /// How it is encoded, such as `gzip`.
    pub(crate) encoding: Option<String>,
    pub(crate) connections: u32,
    pub(crate) seconds: f64,
    /// Requests a second, of all connections together; as many as the server answers where it is not given.
    pub(crate) rate: Option<f64>,
}

/// Clients that hold connections.
pub(crate) struct Crowd {
    pub(crate) address: SocketAddr,
    pub(crate) connections: u32,
    /// How many of them come in a second.
    pub(crate) pace: f64,
    /// When they are looked at for the last time.
    pub(crate) seconds: f64,
    /// What each sends at once.
    pub(crate) beginning: String,
    /// Whether each sends another byte every second.
    pub(crate) goes_on: bool,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        match arguments.next().as_deref() {
            Some("load") => Load::parse(arguments).map(Self::Load),
            Some("crowd") => Crowd::parse(arguments).map(Self::Crowd),
            other => Err(format!("expected `load` or `crowd`, found {other:?}")),
        }
    }
}

impl Load {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut load = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            path: String::new(),
            body: String::new(),
            encoding: None,
            connections: 16,
            seconds: 1.0,
            rate: None,
        };
        for argument in arguments {
            let (name, value) = parts(&argument)?;
            match name {
                "--address" => load.address = read(&argument, value)?,
                "--path" => load.path = value.to_owned(),
                "--body" => load.body = value.to_owned(),
                "--encoding" => load.encoding = Some(value.to_owned()),
                "--connections" => load.connections = read(&argument, value)?,
                "--seconds" => load.seconds = read(&argument, value)?,
                "--rate" => load.rate = Some(read(&argument, value)?),
                _ => return Err(format!("unknown option in `{argument}`")),
            }
        }
        if load.path.is_empty() || load.body.is_empty() {
            return Err("`--path` and `--body` are missing".to_owned());
        }
        Ok(load)
    }
}

impl Crowd {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut crowd = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            connections: 100,
            pace: 1000.0,
            seconds: 1.0,
            beginning: String::new(),
            goes_on: false,
        };
        for argument in arguments {
            let (name, value) = parts(&argument)?;
            match name {
                "--address" => crowd.address = read(&argument, value)?,
                "--connections" => crowd.connections = read(&argument, value)?,
                "--pace" => crowd.pace = read(&argument, value)?,
                "--seconds" => crowd.seconds = read(&argument, value)?,
                "--beginning" => crowd.beginning = value.to_owned(),
                "--goes-on" => crowd.goes_on = read(&argument, value)?,
                _ => return Err(format!("unknown option in `{argument}`")),
            }
        }
        Ok(crowd)
    }
}

fn parts(argument: &str) -> Result<(&str, &str), String> {
    argument
        .split_once('=')
        .ok_or_else(|| format!("expected `name=value`, found `{argument}`"))
}

fn read<T: std::str::FromStr>(argument: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("wrong value in `{argument}`"))
}
