//! Fuzzes `fuzz_targets::idx`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::idx(bytes);
});
