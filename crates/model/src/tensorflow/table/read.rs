//! Tables out of bytes that nobody vouches for.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{MAGIC, PLACES_BYTES, UNCOMPRESSED, masked_crc32c};

/// Kind and checksum behind each block.
const TRAILER_BYTES: usize = 5;
/// Most bytes that are looked at and put together: an index of a few dozen tensors has a few thousand. Keys may share what
/// is written once, and places of blocks may be the same, so a short table could be a very long one.
const WORK_MAX_BYTES: usize = 16 << 20;
/// What an entry costs beside its bytes.
const ENTRY_BYTES: usize = 64;

/// Why bytes are no table.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TableError {
    /// It does not end as tables do.
    #[error("it does not end with the magic number of a table")]
    Magic,
    /// Something is not where it should be, or not whole.
    #[error("its {0} is damaged")]
    Damaged(&'static str),
    /// It is far longer than an index of a network.
    #[error("it has more than {WORK_MAX_BYTES} bytes")]
    TooLarge,
    /// Its blocks are compressed, which TensorFlow does not do to a bundle.
    #[error("it is compressed (kind {0}), expected a table without compression")]
    Compressed(u8),
}

/// The keys and values of a table.
///
/// # Errors
///
/// Anything that does not add up, checksums included.
pub(crate) fn decode(table: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, TableError> {
    let (rest, magic) = table.split_last_chunk::<8>().ok_or(TableError::Magic)?;
    if u64::from_le_bytes(*magic) != MAGIC {
        return Err(TableError::Magic);
    }
    let damaged = TableError::Damaged("footer");
    let places = rest.len().checked_sub(PLACES_BYTES).map(|start| &rest[start..]);
    let mut places = places.ok_or(damaged)?;
    let metaindex = place(&mut places).ok_or(TableError::Damaged("footer"))?;
    let index = place(&mut places).ok_or(TableError::Damaged("footer"))?;
    // Nothing is in it, but it must be whole as well.
    let mut work = Work(WORK_MAX_BYTES);
    work.block(table, metaindex)?;
    let mut entries = BTreeMap::new();
    let blocks = work.block(table, index)?;
    for (_, place_bytes) in work.pairs(blocks, "index")? {
        let data = place(&mut place_bytes.as_slice()).ok_or(TableError::Damaged("index"))?;
        let block = work.block(table, data)?;
        entries.extend(work.pairs(block, "block")?);
    }
    Ok(entries)
}

/// How many bytes may still be looked at.
struct Work(usize);

/// Where a block begins, and its length.
type Place = (usize, usize);

/// A key and its value.
type Pair = (Vec<u8>, Vec<u8>);

fn place(bytes: &mut &[u8]) -> Option<Place> {
    Some((varint(bytes)?, varint(bytes)?))
}

impl Work {
    /// The contents of the block at `place`.
    fn block<'t>(&mut self, table: &'t [u8], (start, length): Place) -> Result<&'t [u8], TableError> {
        self.spend(length)?;
        let damaged = TableError::Damaged("place of a block");
        let end = start.checked_add(length).and_then(|end| end.checked_add(TRAILER_BYTES));
        let Some(whole) = end.and_then(|end| table.get(start..end)) else {
            return Err(damaged);
        };
        let (checked, checksum) = whole.split_last_chunk::<4>().ok_or(damaged)?;
        if masked_crc32c(checked) != u32::from_le_bytes(*checksum) {
            return Err(TableError::Damaged("checksum"));
        }
        match checked.split_last() {
            Some((&UNCOMPRESSED, contents)) => Ok(contents),
            Some((&kind, _)) => Err(TableError::Compressed(kind)),
            None => Err(TableError::Damaged("place of a block")),
        }
    }

    /// The keys, each put together from what it shares with the one before and what is its own, and their values.
    fn pairs(&mut self, block: &[u8], what: &'static str) -> Result<Vec<Pair>, TableError> {
        let damaged = || TableError::Damaged(what);
        let (rest, n_restarts) = block.split_last_chunk::<4>().ok_or_else(damaged)?;
        let restarts_bytes = (u32::from_le_bytes(*n_restarts) as usize).checked_mul(4);
        let end = restarts_bytes.and_then(|n_bytes| rest.len().checked_sub(n_bytes));
        let mut entries = &rest[..end.ok_or_else(damaged)?];
        let mut pairs: Vec<Pair> = Vec::new();
        while !entries.is_empty() {
            let mut number = || varint(&mut entries).ok_or_else(damaged);
            let (n_shared, n_own, n_value) = (number()?, number()?, number()?);
            self.spend(
                n_shared
                    .saturating_add(n_own)
                    .saturating_add(n_value)
                    .saturating_add(ENTRY_BYTES),
            )?;
            let previous = pairs.last().map_or(&[][..], |(key, _)| key);
            let shared = previous.get(..n_shared).ok_or_else(damaged)?;
            let (own, after) = entries.split_at_checked(n_own).ok_or_else(damaged)?;
            let (value, after) = after.split_at_checked(n_value).ok_or_else(damaged)?;
            pairs.push(([shared, own].concat(), value.to_vec()));
            entries = after;
        }
        Ok(pairs)
    }

    fn spend(&mut self, n_bytes: usize) -> Result<(), TableError> {
        self.0 = self.0.checked_sub(n_bytes).ok_or(TableError::TooLarge)?;
        Ok(())
    }
}

fn varint(bytes: &mut &[u8]) -> Option<usize> {
    prost::decode_length_delimiter(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(n_entries: usize) -> BTreeMap<String, Vec<u8>> {
        let entry = |index: usize| (format!("layer_{index:03}/kernel"), vec![index as u8; index % 7]);
        (0..n_entries).map(entry).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        for n_entries in [0, 1, 16, 17, 100] {
            let entries = written(n_entries);
            let read = decode(&super::super::encode(&entries)).unwrap();
            let expected: BTreeMap<Vec<u8>, Vec<u8>> = entries
                .into_iter()
                .map(|(key, value)| (key.into_bytes(), value))
                .collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_short_table_that_is_a_very_long_one_is_refused() {
        // A key of a hundred thousand bytes, and three hundred more that say only that they begin like it.
        let long = "x".repeat(100_000);
        let entries = (0..300).map(|index| (format!("{long}{index:03}"), Vec::new()));
        let table = super::super::encode(&entries.collect());
        assert_eq!(decode(&table).unwrap_err(), TableError::TooLarge);
    }

    #[test]
    fn a_table_of_which_a_byte_is_changed_or_missing_is_refused() {
        let table = super::super::encode(&written(20));
        let footer = table.len() - PLACES_BYTES - 8;
        for index in 0..table.len() {
            let mut changed = table.clone();
            changed[index] ^= 0x10;
            // Padding in the footer is not looked at.
            if index < footer {
                assert!(decode(&changed).is_err(), "byte {index}");
            } else {
                let _ = decode(&changed);
            }
            assert!(decode(&table[..index]).is_err(), "{index} bytes");
        }
        assert_eq!(decode(b"no table at all").unwrap_err(), TableError::Magic);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut table = bytes;
            let _ = decode(&table);
            table.extend(MAGIC.to_le_bytes());
            let _ = decode(&table);
        }
    }
}
