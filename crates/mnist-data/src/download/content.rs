//! Whether some bytes are the file that they should be.

use crate::files::{KnownFile, sha256};
use crate::gzip::{self, GzipError};
use crate::idx::{self, ELEMENT_BYTES_MAX, Element, IdxError};

/// Bytes that are not the file that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    #[error("it is a web page, as a login portal or a proxy sends it instead of a file")]
    WebPage,
    #[error("cannot unpack it")]
    Gzip(#[from] GzipError),
    #[error(
        "expected {n_bytes_expected} bytes with SHA-256 {expected}, found {n_bytes_found} bytes with SHA-256 {found}"
    )]
    Digest {
        n_bytes_expected: u64,
        expected: &'static str,
        n_bytes_found: u64,
        found: String,
    },
    #[error("it is no IDX file")]
    Idx(#[from] IdxError),
    #[error("expected unsigned byte elements in {expected} dimensions, found {found} elements in {found_dimensions}")]
    Shape {
        expected: usize,
        found: &'static str,
        found_dimensions: usize,
    },
}

/// Largest unpacked file: the largest array with the largest header.
pub(crate) const UNPACKED_BYTES_MAX: u64 = ELEMENT_BYTES_MAX + 4 + 4 * 255;

/// The unpacked content of `bytes`, packed or not, if it is the file `known`; with `any_digest`, if it is an IDX file of
/// the same kind.
///
/// # Errors
///
/// [`ContentError`] says what the bytes are instead.
pub fn accept(bytes: Vec<u8>, known: &KnownFile, any_digest: bool) -> Result<Vec<u8>, ContentError> {
    if bytes.trim_ascii_start().starts_with(b"<") {
        return Err(ContentError::WebPage);
    }
    let n_bytes_max = if any_digest { UNPACKED_BYTES_MAX } else { known.n_bytes };
    let content = if gzip::is_gzip(&bytes) {
        gzip::unpack(&bytes, n_bytes_max)?
    } else {
        bytes
    };
    check(&content, known, any_digest)?;
    Ok(content)
}

/// Whether `content`, unpacked, is the file `known`; with `any_digest`, an IDX file of the same kind.
pub(crate) fn check(content: &[u8], known: &KnownFile, any_digest: bool) -> Result<(), ContentError> {
    if any_digest {
        return check_kind(content, known);
    }
    let found = sha256(content);
    if found == known.sha256 {
        return Ok(());
    }
    Err(ContentError::Digest {
        n_bytes_expected: known.n_bytes,
        expected: known.sha256,
        n_bytes_found: content.len() as u64,
        found,
    })
}

fn check_kind(content: &[u8], known: &KnownFile) -> Result<(), ContentError> {
    let header = idx::check(content)?;
    if (header.element, header.dimensions.len()) == (Element::U8, known.n_dimensions) {
        return Ok(());
    }
    Err(ContentError::Shape {
        expected: known.n_dimensions,
        found: header.element.name(),
        found_dimensions: header.dimensions.len(),
    })
}

#[cfg(test)]
mod tests {
    use test_support::Digits;

    use super::*;
    use crate::files::Split;

    fn error_of(bytes: &[u8], any_digest: bool) -> String {
        accept(bytes.to_vec(), &Split::Train.labels(), any_digest)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_web_page_is_called_by_its_name() {
        let portal = b"\r\n<!DOCTYPE html><html>Please log in</html>";
        assert!(error_of(portal, false).starts_with("it is a web page"));
        assert!(error_of(portal, true).starts_with("it is a web page"));
    }

    #[test]
    fn another_data_set_is_accepted_only_on_request() {
        let labels = Digits::draw(20, 1).labels_idx();
        assert_eq!(accept(labels.clone(), &Split::Train.labels(), true).unwrap(), labels);
        assert_eq!(
            error_of(&labels, false),
            format!(
                "expected 60008 bytes with SHA-256 {}, found 28 bytes with SHA-256 {}",
                Split::Train.labels().sha256,
                sha256(&labels)
            )
        );
    }

    #[test]
    fn images_are_no_labels() {
        assert_eq!(
            error_of(&Digits::draw(20, 1).images_idx(), true),
            "expected unsigned byte elements in 1 dimensions, found unsigned byte elements in 3"
        );
    }
}
