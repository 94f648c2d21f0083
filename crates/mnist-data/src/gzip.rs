//! Unpacking gzip with a bound, so that a small file cannot fill the memory.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

/// First bytes of every gzip file; no IDX file starts with them.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Bytes that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum GzipError {
    #[error("it unpacks to more than {n_bytes_max} bytes")]
    TooLarge { n_bytes_max: u64 },
    #[error("it is a damaged gzip file")]
    Damaged(#[source] io::Error),
}

pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Unpacks a whole gzip file of at most `n_bytes_max` unpacked bytes; its checksum is compared, and garbage behind its
/// end refused.
pub(crate) fn unpack(packed: &[u8], n_bytes_max: u64) -> Result<Vec<u8>, GzipError> {
    let mut unpacked = Vec::new();
    let mut decoder = MultiGzDecoder::new(packed).take(n_bytes_max + 1);
    decoder.read_to_end(&mut unpacked).map_err(GzipError::Damaged)?;
    if unpacked.len() as u64 > n_bytes_max {
        return Err(GzipError::TooLarge { n_bytes_max });
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_stops_at_its_bound() {
        let bomb = pack(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        let error = unpack(&bomb, 1_000).unwrap_err();
        assert_eq!(error.to_string(), "it unpacks to more than 1000 bytes");
    }

    #[test]
    fn the_bound_itself_is_allowed() {
        assert_eq!(unpack(&pack(&[7; 1_000]), 1_000).unwrap(), [7; 1_000]);
    }

    #[test]
    fn a_flipped_bit_a_missing_end_and_garbage_behind_it_are_refused() {
        let packed = pack(b"some bytes that are packed");
        let mut flipped = packed.clone();
        flipped[15] ^= 1;
        let longer = [&packed[..], b"garbage"].concat();
        for damaged in [&flipped[..], &packed[..packed.len() - 3], &longer] {
            assert!(matches!(unpack(damaged, 1_000), Err(GzipError::Damaged(_))));
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(bytes in vec(any::<u8>(), 0..2_000)) {
            let packed = pack(&bytes);
            prop_assert!(is_gzip(&packed));
            prop_assert_eq!(unpack(&packed, 2_000).unwrap(), bytes);
        }

        #[test]
        fn any_bytes_give_a_value_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
            let _ = unpack(&[&MAGIC[..], &[8, 0, 0, 0, 0, 0, 0, 0], &bytes].concat(), 1_000);
            let _ = unpack(&bytes, 1_000);
        }
    }
}
