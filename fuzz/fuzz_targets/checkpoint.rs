//! Fuzzes `fuzz_targets::checkpoint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::checkpoint(bytes);
});
