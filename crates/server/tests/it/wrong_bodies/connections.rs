//! One connection for many requests, of either version of HTTP.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use axum::http::Request;
use bytes::Bytes;
use h2::client::{self, SendRequest};

use super::Wrong;

/// Posts to one path.
pub(super) struct Http1 {
    stream: BufReader<TcpStream>,
    path: &'static str,
}

/// Calls one path.
pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    path: &'static str,
}

impl Http1 {
    pub(super) fn open(stream: TcpStream, path: &'static str) -> Self {
        Self {
            stream: BufReader::new(stream),
            path,
        }
    }

    /// The status and the body of the answer.
    pub(super) fn ask(&mut self, wrong: &Wrong) -> (u16, String) {
        let length = wrong.body.len();
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n",
            self.path
        );
        if let Some(n_json_bytes) = &wrong.n_json_bytes {
            head += &format!("inference-header-content-length: {n_json_bytes}\r\n");
        }
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"\r\n").unwrap();
        stream.write_all(&wrong.body).unwrap();
        let mut line = || {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let status = line();
        let status = status
            .split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("{}: closed", wrong.way))
            .parse()
            .unwrap();
        let mut length = 0;
        loop {
            let header = line().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            assert_ne!(header, "connection: close", "{}", wrong.way);
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

impl Http2 {
    pub(super) async fn open(address: SocketAddr, path: &'static str) -> Self {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (sender, connection) = client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self { sender, path }
    }

    /// The code and the message of the answer.
    pub(super) async fn ask(&mut self, body: Vec<u8>) -> (String, String) {
        let request = Request::post(format!("http://test{}", self.path))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .unwrap();
        self.sender = self.sender.clone().ready().await.unwrap();
        let (response, mut stream) = self.sender.send_request(request, false).unwrap();
        stream.send_data(body.into(), true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200);
        let mut headers = response.headers().clone();
        let mut body = response.into_body();
        while let Some(piece) = body.data().await {
            let n_bytes = piece.unwrap().len();
            body.flow_control().release_capacity(n_bytes).unwrap();
        }
        headers.extend(body.trailers().await.unwrap().unwrap_or_default());
        let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        (text("grpc-status"), text("grpc-message"))
    }
}
