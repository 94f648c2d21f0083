//! Encodings of bodies: which ones a client may use, and how they are undone within a limit.

use std::{
    fmt,
    io::{self, Read},
};

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::{Buf, Bytes, buf::Reader};
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::{heavy::HeavyWork, http::ApiError};

/// What is told to a client that uses another encoding.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, zstd");

/// How far back a zstd body may refer, and so how much must be kept of it: what RFC 9659 says every reader keeps.
const WINDOW_MAX_BYTES: u64 = 8 << 20;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Not at all.
    Identity,
    Gzip,
    Zstd,
}

/// A body on its way out of its encoding.
struct Decoding {
    decoder: Box<dyn Read + Send>,
    decoded: Vec<u8>,
}

impl Encoding {
    /// The encoding that the headers announce.
    ///
    /// Errors: one that is not understood, or several on top of each other.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let (Some(value), further) = (values.next(), values.next()) else {
            return Ok(Self::Identity);
        };
        let known = [
            ("identity", Self::Identity),
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("zstd", Self::Zstd),
        ];
        let name = value.as_bytes().trim_ascii();
        let found = known
            .into_iter()
            .find(|(known, _)| further.is_none() && name.eq_ignore_ascii_case(known.as_bytes()));
        found.map(|(_, encoding)| encoding).ok_or_else(|| {
            let found = String::from_utf8_lossy(value.as_bytes()).into_owned();
            ApiError::ContentEncoding { found }
        })
    }

    /// Undoes the encoding: up to `inline_max_bytes` here, what is longer on a blocking thread.
    ///
    /// Errors: more than `max_bytes`, found when one more is there; bytes that are not in this encoding.
    pub(super) async fn decode(
        self,
        encoded: Bytes,
        max_bytes: usize,
        inline_max_bytes: usize,
        heavy: &HeavyWork,
    ) -> Result<Bytes, ApiError> {
        if self == Self::Identity {
            return Ok(encoded);
        }
        let broken = |error| ApiError::BodyEncoding { encoding: self, error };
        let mut decoding = Decoding {
            decoder: self.decoder(encoded.reader()).map_err(broken)?,
            decoded: Vec::new(),
        };
        let here_max_bytes = inline_max_bytes.min(max_bytes);
        if !decoding.go_on(here_max_bytes).map_err(broken)? {
            let going_on = move || decoding.go_on(max_bytes).map(|has_ended| (decoding, has_ended));
            let (gone_on, has_ended) = heavy.run(going_on).await.map_err(ApiError::Worker)?.map_err(broken)?;
            if !has_ended {
                return Err(ApiError::BodyTooLarge { max_bytes });
            }
            decoding = gone_on;
        }
        Ok(decoding.decoded.into())
    }

    fn decoder(self, encoded: Reader<Bytes>) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Identity => Box::new(encoded),
            Self::Gzip => Box::new(MultiGzDecoder::new(encoded)),
            Self::Zstd => {
                let decoder = StreamingDecoder::new_with_max_window_size(encoded, WINDOW_MAX_BYTES);
                Box::new(decoder.map_err(io::Error::other)?)
            }
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

impl Decoding {
    /// Goes on until the end, or until there is one byte more than `max_bytes`. `true`: it was the end.
    fn go_on(&mut self, max_bytes: usize) -> io::Result<bool> {
        let room = (max_bytes + 1).saturating_sub(self.decoded.len());
        self.decoder.by_ref().take(room as u64).read_to_end(&mut self.decoded)?;
        Ok(self.decoded.len() <= max_bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    const ENCODINGS: [Encoding; 2] = [Encoding::Gzip, Encoding::Zstd];

    fn encode(encoding: Encoding, plain: &[u8]) -> Bytes {
        match encoding {
            Encoding::Identity => plain.to_owned(),
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Zstd => compress_to_vec(plain, CompressionLevel::Fastest),
        }
        .into()
    }

    #[tokio::test]
    async fn a_body_comes_out_whole_up_to_its_limit() {
        let heavy = HeavyWork::new();
        let plain: Vec<u8> = (0..100_000_u32).flat_map(|n| (n % 1000).to_le_bytes()).collect();
        for encoding in ENCODINGS {
            let encoded = encode(encoding, &plain);
            for inline_max_bytes in [0, 1000, plain.len(), usize::MAX] {
                let decode = |max_bytes| encoding.decode(encoded.clone(), max_bytes, inline_max_bytes, &heavy);
                assert_eq!(decode(plain.len()).await.unwrap(), plain, "{encoding:?}");
                let error = decode(plain.len() - 1).await.unwrap_err();
                assert!(matches!(error, ApiError::BodyTooLarge { .. }), "{encoding:?}: {error}");
            }
            assert_eq!(encoding.decode(encode(encoding, b""), 0, 10, &heavy).await.unwrap(), "");
        }
    }

    #[tokio::test]
    async fn a_bomb_takes_no_more_than_the_limit() {
        let limit = 1 << 20;
        for encoding in ENCODINGS {
            let encoded = encode(encoding, &vec![0; 100 * limit]);
            assert!(encoded.len() < limit, "{encoding:?}: {} bytes", encoded.len());
            let mut decoding = Decoding {
                decoder: encoding.decoder(encoded.reader()).unwrap(),
                decoded: Vec::new(),
            };
            assert!(!decoding.go_on(limit).unwrap());
            assert!(decoding.decoded.capacity() <= 2 * limit, "{encoding:?}");
        }
    }

    #[tokio::test]
    async fn bytes_that_are_not_in_the_encoding_are_refused() {
        let heavy = HeavyWork::new();
        for encoding in ENCODINGS {
            let whole = encode(encoding, &[7; 1000]);
            for broken in [Bytes::from_static(b"{\"imgs\":[]}"), whole.slice(..whole.len() - 1)] {
                let error = encoding
                    .decode(broken.clone(), 1 << 20, 1 << 20, &heavy)
                    .await
                    .unwrap_err();
                assert!(
                    matches!(error, ApiError::BodyEncoding { .. }),
                    "{encoding:?} {broken:?}: {error}"
                );
            }
        }
    }

    #[test]
    fn only_one_known_encoding_may_be_announced() {
        let check = |values: &[&'static str]| {
            let named = |value: &&'static str| (header::CONTENT_ENCODING, HeaderValue::from_static(value));
            Encoding::of(&values.iter().map(named).collect()).ok()
        };
        assert_eq!(check(&[]), Some(Encoding::Identity));
        assert_eq!(check(&["identity"]), Some(Encoding::Identity));
        assert_eq!(check(&[" GZip "]), Some(Encoding::Gzip));
        assert_eq!(check(&["zstd"]), Some(Encoding::Zstd));
        for values in [
            &["br"][..],
            &["deflate"],
            &[""],
            &["gzip, gzip"],
            &["gzip", "gzip"],
            &["identity", "gzip"],
        ] {
            assert_eq!(check(values), None, "{values:?}");
        }
    }
}
