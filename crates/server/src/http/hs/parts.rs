//! The parts of an upload.

use std::convert::Infallible;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures::stream;
use multer::Multipart;

use formats::name::ModelName;

use super::HsError;

/// Longest description or model type.
const TEXT_MAX_BYTES: usize = 16 << 10;
/// Longest contract; one with a hundred fields has a few thousand bytes.
const CONTRACT_MAX_BYTES: usize = 256 << 10;

/// What an upload brings.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) model_name: ModelName,
    pub(super) model_type: Option<String>,
    pub(super) description: Option<String>,
    /// Protocol buffers, which are no text.
    pub(super) contract: Option<Bytes>,
    pub(super) payload: Bytes,
}

/// The parts as they come, whatever is in them.
#[derive(Default)]
struct Raw {
    model_name: Option<Bytes>,
    model_type: Option<Bytes>,
    model_description: Option<Bytes>,
    model_contract: Option<Bytes>,
    payload: Option<Bytes>,
}

impl Parts {
    /// Takes a body apart. Parts of other names are ignored.
    pub(super) async fn parse(headers: &HeaderMap, body: Bytes) -> Result<Self, HsError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = multer::parse_boundary(content_type.unwrap_or_default()).map_err(|_| HsError::NotMultipart)?;
        let mut multipart = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
        let mut raw = Raw::default();
        while let Some(field) = multipart.next_field().await.map_err(HsError::Multipart)? {
            let name = field.name().unwrap_or_default().to_owned();
            let Some(part) = raw.part(&name) else { continue };
            if part.is_some() {
                return Err(HsError::PartTwice(name));
            }
            *part = Some(field.bytes().await.map_err(HsError::Multipart)?);
        }
        let name = raw.model_name.ok_or(HsError::MissingPart("model_name"))?;
        Ok(Self {
            model_name: text("model_name", name)?.parse()?,
            model_type: raw.model_type.map(|part| text("model_type", part)).transpose()?,
            description: (raw.model_description)
                .map(|part| text("model_description", part))
                .transpose()?,
            contract: (raw.model_contract)
                .map(|part| bounded("model_contract", part, CONTRACT_MAX_BYTES))
                .transpose()?,
            payload: raw.payload.ok_or(HsError::MissingPart("payload"))?,
        })
    }
}

impl Raw {
    fn part(&mut self, name: &str) -> Option<&mut Option<Bytes>> {
        match name {
            "model_name" => Some(&mut self.model_name),
            "model_type" => Some(&mut self.model_type),
            "model_description" => Some(&mut self.model_description),
            "model_contract" => Some(&mut self.model_contract),
            "payload" => Some(&mut self.payload),
            _ => None,
        }
    }
}

fn bounded(part: &'static str, bytes: Bytes, max_bytes: usize) -> Result<Bytes, HsError> {
    let n_bytes = bytes.len();
    if n_bytes <= max_bytes {
        Ok(bytes)
    } else {
        Err(HsError::PartTooLong {
            part,
            n_bytes,
            max_bytes,
        })
    }
}

fn text(part: &'static str, bytes: Bytes) -> Result<String, HsError> {
    let bytes = bounded(part, bytes, TEXT_MAX_BYTES)?;
    String::from_utf8(bytes.into()).map_err(|_| HsError::PartText(part))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    async fn parse(content_type: &str, body: &[u8]) -> Result<Parts, HsError> {
        let headers = [(header::CONTENT_TYPE, content_type.parse().unwrap())];
        Parts::parse(&headers.into_iter().collect(), Bytes::copy_from_slice(body)).await
    }

    fn body(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, content) in parts {
            body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").bytes());
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        body
    }

    #[tokio::test]
    async fn the_parts_of_hs_come_back_byte_for_byte() {
        // A contract with a dimension of -1, which is not UTF-8.
        let contract = b"\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\r\n";
        let body = body(&[
            ("model_description", b"digits"),
            ("model_contract", contract),
            ("model_type", b"tensorflow:1.9.0"),
            ("model_name", b"mnist"),
            ("payload", b"\x1f\x8b\r\n--edg"),
            ("later", b"ignored"),
        ]);
        let parts = parse("multipart/form-data; boundary=edge", &body).await.unwrap();
        assert_eq!(parts.model_name.as_str(), "mnist");
        assert_eq!(parts.model_type.as_deref(), Some("tensorflow:1.9.0"));
        assert_eq!(parts.description.as_deref(), Some("digits"));
        assert_eq!(parts.contract.as_deref(), Some(&contract[..]));
        assert_eq!(parts.payload, &b"\x1f\x8b\r\n--edg"[..]);
    }

    async fn check(parts: &[(&str, &[u8])], expected: Expect) {
        let error = parse("multipart/form-data; boundary=edge", &body(parts)).await;
        expected.assert_eq(&inference::with_causes(&error.unwrap_err()));
    }

    #[tokio::test]
    async fn parts_that_are_missing_or_wrong_are_named() {
        check(&[("model_name", b"mnist")], expect!["the part `payload` is missing"]).await;
        check(&[("payload", b"x")], expect!["the part `model_name` is missing"]).await;
        let name = ("model_name", &b"mnist"[..]);
        check(&[name, name], expect!["the part `model_name` is there twice"]).await;
        check(
            &[("model_name", b"../x"), ("payload", b"x")],
            expect!["wrong model name in the part `model_name`: `.` at position 1 of the name `../x`, expected an ASCII letter or digit"],
        )
        .await;
        check(
            &[name, ("model_type", b"\xff"), ("payload", b"x")],
            expect!["the part `model_type` is not UTF-8"],
        )
        .await;
        let long = vec![b'x'; CONTRACT_MAX_BYTES + 1];
        check(
            &[name, ("model_contract", &long), ("payload", b"x")],
            expect!["the part `model_contract` has 262145 bytes, expected at most 262144"],
        )
        .await;
    }

    #[tokio::test]
    async fn another_body_is_refused() {
        assert!(matches!(
            parse("application/json", b"{}").await,
            Err(HsError::NotMultipart)
        ));
        let whole = body(&[("model_name", b"mnist"), ("payload", b"x")]);
        for n_bytes in 0..whole.len() - 4 {
            let cut_off = parse("multipart/form-data; boundary=edge", &whole[..n_bytes]).await;
            assert!(cut_off.is_err(), "{n_bytes} bytes");
        }
    }
}
