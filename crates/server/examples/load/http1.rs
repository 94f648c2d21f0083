//! HTTP/1.1: a head and a body each way, and connections that stay.

use std::{io, net::SocketAddr, rc::Rc};

use crate::{Protocol, Understood};

/// The heads of all requests, which are the same each time.
#[derive(Clone)]
pub(crate) struct Http1(Rc<[Vec<u8>]>);

impl Http1 {
    pub(crate) fn new(address: SocketAddr, path: &str, headers: &[String], bodies: &[Vec<u8>]) -> Self {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let head = |body: &Vec<u8>| {
            let n_bytes = body.len();
            format!("POST {path} HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {n_bytes}\r\n\r\n")
                .into_bytes()
        };
        Self(bodies.iter().map(head).collect())
    }
}

impl Protocol for Http1 {
    fn ask(&mut self, body: usize, _n_bytes: usize, head: &mut Vec<u8>) -> bool {
        head.extend_from_slice(&self.0[body]);
        true
    }

    /// An answer is done with once it is whole.
    fn understand(&mut self, received: &[u8]) -> io::Result<Understood> {
        let nothing = Understood {
            n_bytes: 0,
            answer: None,
        };
        let Some(head_length) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(nothing);
        };
        let head = str::from_utf8(&received[..head_length]).map_err(io::Error::other)?;
        let mut lines = head.split("\r\n");
        let is_right = lines.next().is_some_and(|line| line.starts_with("HTTP/1.1 200"));
        let body_length = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.trim().parse::<usize>().ok())
            .ok_or_else(|| io::Error::other("an answer without a length"))?;
        let n_bytes = head_length + 4 + body_length;
        if received.len() < n_bytes {
            return Ok(nothing);
        }
        Ok(Understood {
            n_bytes,
            answer: Some(is_right),
        })
    }
}
