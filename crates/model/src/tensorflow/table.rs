//! The sorted table in which a bundle keeps its index.
//!
//! It is LevelDB's table format (`tsl/lib/io/format.h` and `block_builder.cc` in TensorFlow, `doc/table_format.md` in
//! LevelDB), uncompressed and with a single data block: the index of a few dozen tensors has a few thousand bytes.
//!
//! ```text
//! data block, metaindex block (empty), index block   each followed by its kind (0) and its checksum
//! footer: places of the metaindex and index blocks, padding to 40 bytes, magic number
//! ```

mod read;

use std::collections::BTreeMap;

use super::checksum::masked_crc32c;

pub(crate) use read::{TableError, decode};

/// Every so many entries a key is written whole, so that a reader can search between them.
const RESTART_INTERVAL: usize = 16;
/// The block is stored as it is, not compressed.
const UNCOMPRESSED: u8 = 0;
/// Room for two places of at most ten bytes for each number.
const PLACES_BYTES: usize = 40;
const MAGIC: u64 = 0xdb47_7524_8b80_fb57;

/// The bytes of a table with these keys and values, in the order of their keys.
pub(super) fn encode(entries: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let data = block(entries.iter().map(|(key, value)| (key.as_bytes(), value.as_slice())));
    let mut table = Vec::new();
    let data_place = append(&mut table, data);
    let metaindex_place = append(&mut table, block([]));
    let last_key = entries.keys().next_back().map_or(&[][..], |key| key.as_bytes());
    let index = block([(successor(last_key).as_slice(), data_place.as_slice())]);
    let index_place = append(&mut table, index);

    let mut places = [metaindex_place, index_place].concat();
    places.resize(PLACES_BYTES, 0);
    table.extend(places);
    table.extend(MAGIC.to_le_bytes());
    table
}

/// Keys and values, each key without what it shares with the one before; then where the whole keys are.
fn block<'a>(entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut block = Vec::new();
    let mut restarts = Vec::new();
    let mut previous: &[u8] = &[];
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index % RESTART_INTERVAL == 0 {
            restarts.push(block.len());
            previous = &[];
        }
        let n_shared = key
            .iter()
            .zip(previous)
            .take_while(|(left, right)| left == right)
            .count();
        for number in [n_shared, key.len() - n_shared, value.len()] {
            put_varint(&mut block, number);
        }
        block.extend(&key[n_shared..]);
        block.extend(value);
        previous = key;
    }
    // A reader counts on one restart at least.
    if restarts.is_empty() {
        restarts.push(0);
    }
    let n_restarts = restarts.len();
    for number in restarts.into_iter().chain([n_restarts]) {
        let number = u32::try_from(number).expect("the index of a network is far smaller than 4 GiB");
        block.extend(number.to_le_bytes());
    }
    block
}

/// Appends a block with kind and checksum, and returns its place: where it begins, and its length without those.
fn append(table: &mut Vec<u8>, mut block: Vec<u8>) -> Vec<u8> {
    let mut place = Vec::new();
    put_varint(&mut place, table.len());
    put_varint(&mut place, block.len());
    block.push(UNCOMPRESSED);
    let checksum = masked_crc32c(&block);
    table.extend(block);
    table.extend(checksum.to_le_bytes());
    place
}

/// A short key that is not below `key`, as TensorFlow writes it into the index: it need not be one that exists.
fn successor(key: &[u8]) -> Vec<u8> {
    match key.iter().position(|&byte| byte != u8::MAX) {
        Some(index) => [&key[..index], &[key[index] + 1]].concat(),
        None => key.to_vec(),
    }
}

fn put_varint(bytes: &mut Vec<u8>, number: usize) {
    prost::encode_length_delimiter(number, bytes).expect("a vector grows");
}
