//! Fuzzes `fuzz_targets::artifact`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_targets::artifact(bytes);
});
