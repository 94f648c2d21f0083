//! Decimals against the standard library.

use std::{env, thread};

use proptest::prelude::*;

use super::read;

/// What the standard library makes of the same text.
#[track_caller]
fn check(text: &str) {
    let expected: f32 = text.parse().unwrap();
    if let Some((value, length)) = read(text.as_bytes()) {
        assert_eq!(length, text.len(), "{text}");
        assert_eq!(
            value.to_bits(),
            expected.to_bits(),
            "{text}: {value}, expected {expected}"
        );
    }
}

#[test]
fn what_clients_write_is_read_here() {
    for (text, expected) in [
        ("0", 0.0_f32),
        ("-0.0", -0.0),
        ("1", 1.0),
        ("0.5", 0.5),
        ("0.9921568627450981", 253.0 / 255.0),
        ("0.003921568859368563", 1.0 / 255.0),
        ("1.9999", 1.9999),
        ("-12.5e2", -1250.0),
        ("1E-05", 1e-5),
        ("2e+3", 2000.0),
        ("0.00000000000001", 1e-14),
        ("12345678901234567", 12_345_678_901_234_567.0),
        ("0.0039215686274509803", 1.0 / 255.0),
        ("0.1234567890123456", 0.123_456_79),
        ("-0.1234567890123456789", -0.123_456_79),
    ] {
        let (value, length) = read(text.as_bytes()).unwrap();
        assert_eq!((value.to_bits(), length), (expected.to_bits(), text.len()), "{text}");
    }
}

#[test]
fn a_number_ends_where_its_grammar_ends() {
    for (text, length) in [
        ("0.5, 7", 3),
        ("7]", 1),
        ("1.5e3}", 5),
        ("10-2", 2),
        ("0x", 1),
        ("123456789,", 9),
        ("0.9921568627450981, 0.0]", 18),
        ("0.996078431372549, 0.0, 0.0]", 17),
        ("0.12345678, 0.0, 0.0, 0.0, 0.0]", 10),
        ("0.12345678901234567890123, 0.5", 25),
    ] {
        assert_eq!(read(text.as_bytes()).map(|(_, length)| length), Some(length), "{text}");
    }
    for text in [
        "",
        "-",
        "+1",
        ".5",
        "01",
        "1.",
        "1.e5",
        "1e",
        "1e+",
        "NaN",
        "-Infinity",
        "\u{ff11}",
    ] {
        assert_eq!(read(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn what_is_too_long_large_or_small_is_left_to_the_standard_library() {
    for text in [
        "1e39",
        "1e400",
        "1e99999999999",
        "1e-40",
        "1e-23",
        "3.4028236e38",
        "12345678901234567890",
        "1.12345678901234567890",
        "0.00001234567890123456",
        "0.123456789012345678901234",
        "0.12345678901234567890123e1, 0.5",
        "-0.12345678901234567890123, 0.5",
    ] {
        assert_eq!(read(text.as_bytes()), None, "{text}");
    }
}

/// Texts exactly on, just below and just above the middle between two neighbours: rounding twice would fail here.
#[test]
fn numbers_next_to_the_middle_between_two_floats_are_right() {
    for bits in (0x3a00_0000_u32..0x4b80_0000).step_by(40_009) {
        let (low, high) = (f64::from(f32::from_bits(bits)), f64::from(f32::from_bits(bits + 1)));
        let middle = f64::midpoint(low, high);
        for double in [middle.next_down(), middle, middle.next_up()] {
            for text in [
                format!("{double}"),
                format!("{double:.9}"),
                format!("{double:.16}"),
                format!("{double:.18e}"),
            ] {
                check(&text);
            }
        }
    }
}

/// A stream of numbers that differ (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A decimal as clients write it, as nobody does, or next to the middle between two neighbours.
    fn decimal(&mut self, text: &mut String) {
        use std::fmt::Write;

        text.clear();
        let bits = self.next();
        let float = f32::from_bits(0x3800_0000 + self.below(0x0800_0000) as u32);
        let middle = f64::midpoint(f64::from(float), f64::from(float.next_up()));
        let _ = match self.below(8) {
            0 => write!(text, "{}", self.below(256) as f64 / 255.0),
            1 => write!(text, "{}", (bits >> 11) as f64 / (1_u64 << 53) as f64),
            2 => write!(text, "{}", f32::from_bits(bits as u32 & 0x7f7f_ffff)),
            3 => write!(text, "0.{:0>1$}", bits, 16 + self.below(9) as usize),
            4 => write!(text, "{}.{}", self.below(1000), bits >> self.below(64)),
            5 => write!(text, "{}e{}", bits >> self.below(64), self.below(60) as i64 - 30),
            6 => write!(text, "{}", f64::from_bits(middle.to_bits() + self.below(64) - 32)),
            _ => write!(text, "{:.*}", 8 + self.below(16) as usize, middle),
        };
    }
}

/// A hundred thousand in every run. `DECIMALS=1000000000 cargo test --release -p formats decimals` compares as many on
/// all cores.
#[test]
fn many_decimals_are_read_as_the_standard_library_reads_them() {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let n_decimals = env::var("DECIMALS").map_or(100_000, |count| count.parse().unwrap());
    let n_threads = thread::available_parallelism().map_or(1, usize::from);
    let work = |seed: usize| {
        let mut random = Random(seed as u64);
        let mut text = String::new();
        let mut n_read = 0_u64;
        for _ in 0..n_decimals / n_threads {
            random.decimal(&mut text);
            check(&text);
            n_read += u64::from(read(text.as_bytes()).is_some());
        }
        assert!(
            n_read > (n_decimals / n_threads) as u64 / 2,
            "only {n_read} were read here"
        );
    };
    thread::scope(|scope| (0..n_threads).for_each(|seed| drop(scope.spawn(move || work(seed)))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn every_decimal_is_read_as_the_standard_library_reads_it(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?") {
        check(&text);
    }

    #[test]
    fn every_float_is_read_back_however_it_is_printed(bits: u32) {
        let value = f32::from_bits(bits);
        if value.is_finite() {
            for text in [format!("{value}"), format!("{value:e}"), format!("{}", f64::from(value)), format!("{value:.8e}")] {
                check(&text);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_left(bytes: Vec<u8>) {
        if let Some((_, length)) = read(&bytes) {
            let text = str::from_utf8(&bytes[..length]).unwrap();
            prop_assert!(serde_json::from_str::<f64>(text).is_ok(), "{text}");
        }
    }
}
