//! The answer to a connection that is one too many.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time,
};

/// What such a client reads, without having been heard.
const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    content-length: 87\r\n\
    \r\n\
    {\"error\":\"Internal\",\"information\":{\"message\":\"as many connections are open as may be\"}}";

/// Most clients that are told at the same time why they are refused; more are only refused.
const TOLD_MAX: usize = 64;

/// Longest time for telling one.
const TELL_MAX: Duration = Duration::from_secs(1);

/// Who tells clients that they are one too many.
#[derive(Debug)]
pub(super) struct Refusals(Arc<Semaphore>);

impl Refusals {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(TOLD_MAX)))
    }

    /// Tells a client that it is one too many, without waiting for it.
    pub(super) fn answer(&self, socket: TcpStream) {
        if let Ok(permit) = self.0.clone().try_acquire_owned() {
            tokio::spawn(async move {
                let _ = time::timeout(TELL_MAX, tell(socket)).await;
                drop(permit);
            });
        }
    }
}

/// Closing while bytes are unread would take the answer back, so they are read first.
async fn tell(mut socket: TcpStream) -> io::Result<()> {
    socket.write_all(ANSWER).await?;
    socket.shutdown().await?;
    let mut unread = [0; 4 << 10];
    while socket.read(&mut unread).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announced_length_is_right() {
        let text = std::str::from_utf8(ANSWER).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("\r\ncontent-length: {}", body.len())), "{head}");
        serde_json::from_str::<formats::api::ErrorBody>(body).unwrap();
    }
}
