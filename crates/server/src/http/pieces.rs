//! A long answer, piece by piece.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, header},
};
use futures::stream;
use tokio::task;

/// What is copied into a socket in some tens of microseconds.
const PIECE_BYTES: usize = 64 << 10;

/// A body that leaves by pieces, and its length. Between two of them the thread does whatever else is ready: who asks for a
/// prediction does not wait until somebody's artifact is written.
pub(super) fn pieces(bytes: Bytes) -> ([(HeaderName, usize); 1], Body) {
    let length = [(header::CONTENT_LENGTH, bytes.len())];
    let pieces = stream::unfold(bytes, async |mut rest| {
        if rest.is_empty() {
            return None;
        }
        task::yield_now().await;
        let piece = rest.split_to(PIECE_BYTES.min(rest.len()));
        Some((Ok::<_, Infallible>(piece), rest))
    });
    (length, Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn pieces_are_short_and_make_the_whole() {
        for n_bytes in [0, 1, PIECE_BYTES, 3 * PIECE_BYTES + 7] {
            let whole: Bytes = (0_u8..=255).cycle().take(n_bytes).collect();
            let (length, mut body) = pieces(whole.clone());
            assert_eq!(length, [(header::CONTENT_LENGTH, n_bytes)]);
            let mut found = Vec::new();
            while let Some(frame) = body.frame().await {
                let piece = frame.unwrap().into_data().unwrap();
                assert!((1..=PIECE_BYTES).contains(&piece.len()), "{} bytes", piece.len());
                found.extend_from_slice(&piece);
            }
            assert_eq!(found, whole);
        }
    }
}
