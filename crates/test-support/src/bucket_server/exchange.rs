//! Requests and answers as they are on the wire.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead},
};

/// A request with all of its body.
pub(super) struct Call {
    pub(super) method: String,
    /// As it was sent.
    pub(super) path: String,
    /// As they were sent.
    pub(super) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// An answer.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Call {
    /// The next request, or `None` where the client has gone.
    pub(super) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (name.to_owned(), value.to_owned())
        };
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            })
            .collect();
        let n_bytes = headers.get("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; n_bytes.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        Ok(Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.split('&').filter(|text| !text.is_empty()).map(pair).collect(),
            headers,
            body,
        }))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A parameter as it was sent.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut query = self.query.iter();
        query.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter as it was meant; keys of tests have nothing else that has to be written in another way.
    pub(super) fn text(&self, name: &str) -> String {
        self.parameter(name).unwrap_or_default().replace("%2F", "/")
    }

    pub(super) fn bucket(&self) -> &str {
        self.path.trim_start_matches('/').split('/').next().unwrap_or_default()
    }

    pub(super) fn key(&self) -> &str {
        let path = self.path.trim_start_matches('/');
        path.split_once('/').map_or("", |(_, key)| key)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameter("list-type") {
            Some(_) => write!(formatter, "LIST {}", self.text("prefix")),
            None => write!(formatter, "{} {}", self.method, self.key()),
        }?;
        match self.header("if-none-match") {
            Some("*") => formatter.write_str(" if none"),
            _ => Ok(()),
        }
    }
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An error in the words of S3.
    pub(super) fn error(status: u16, code: &str) -> Self {
        Self::error_with(status, code, "")
    }

    pub(super) fn error_with(status: u16, code: &str, more: &str) -> Self {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>on purpose</Message>{more}</Error>"
        );
        Self::new(status, text).with("Content-Type", "application/xml")
    }

    /// What somebody says who does not speak S3.
    pub(super) fn page(status: u16) -> Self {
        Self::new(status, "<html><body>welcome</body></html>").with("Content-Type", "text/html")
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} .\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}
