//! The checksum of TensorFlow's files.

/// CRC-32C, "masked" as LevelDB does it: the checksum of bytes that contain checksums would otherwise be weak.
/// Source: `Mask` in TensorFlow's `tsl/lib/hash/crc32c.h`.
pub(super) fn masked_crc32c(bytes: &[u8]) -> u32 {
    const MASK_DELTA: u32 = 0xa282_ead8;
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(MASK_DELTA)
}
