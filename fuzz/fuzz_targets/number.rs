//! Fuzzes `fuzz_targets::number`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::number(bytes);
});
