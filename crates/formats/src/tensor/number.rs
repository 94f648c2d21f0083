//! Decimal numbers to `f32`, correctly rounded, at the speed at which bodies arrive.
//!
//! A number of up to 19 digits fits into 64 bits without its point. As an `f64` it is off by at most half a unit in the
//! last place, and so is its product or quotient with a power of ten that an `f64` holds exactly (Clinger, "How to read
//! floating point numbers accurately", PLDI 1990, section 4). So the `f64` and the number itself lie on the same side of
//! every boundary between two neighbouring `f32`, and become the same `f32`, unless the `f64` is within two units of
//! such a boundary. Then, and for all numbers that are longer, larger or smaller, the standard library is asked.

/// Powers of ten that are exact in an `f64`.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Digits that 64 bits always hold.
const DIGITS_MAX: usize = 19;
/// What an `f64` has more than an `f32`, in bits of its fraction.
const SPARE_BITS: u32 = 29;
/// The boundary between two `f32`, in the spare bits.
const BOUNDARY: u64 = 1 << (SPARE_BITS - 1);
/// How far an `f64` that was rounded twice can be from the number, in units in its last place, rounded up.
const DOUBT: u64 = 2;

/// The number in the grammar of JSON that `text` begins with, and its length.
///
/// `None` where there is none, or where it takes more than this to read it.
#[inline]
pub(super) fn read(text: &[u8]) -> Option<(f32, usize)> {
    let is_negative = text.first() == Some(&b'-');
    let whole_start = usize::from(is_negative);
    let (mut digits, mut end) = read_digits(text, whole_start, 0);
    let mut n_digits = end - whole_start;
    if n_digits == 0 || (n_digits > 1 && text[whole_start] == b'0') {
        return None;
    }
    let mut exponent = 0;
    if text.get(end) == Some(&b'.') {
        let start = end + 1;
        (digits, end) = read_digits(text, start, digits);
        let n_decimals = end - start;
        if n_decimals == 0 {
            return None;
        }
        n_digits += n_decimals;
        exponent = -i32::try_from(n_decimals).ok()?;
    }
    if n_digits > DIGITS_MAX {
        return None;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let (written, exponent_end) = read_exponent(text, end + 1)?;
        exponent += written;
        end = exponent_end;
    }
    let value = round(digits, exponent)?;
    Some((if is_negative { -value } else { value }, end))
}

/// `digits` × 10^`exponent`, where that can be told for certain.
#[inline]
fn round(digits: u64, exponent: i32) -> Option<f32> {
    if digits == 0 {
        return Some(0.0);
    }
    let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
    // A signed conversion is one instruction.
    let exact = i64::try_from(digits).ok()? as f64;
    let double = if exponent < 0 { exact / power } else { exact * power };
    let spare = double.to_bits() & ((1 << SPARE_BITS) - 1);
    // Below this the fraction of an `f32` is shorter, and above it there is none.
    let is_usual = (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&double);
    (is_usual && spare.abs_diff(BOUNDARY) > DOUBT).then_some(double as f32)
}

/// Goes on with `digits`, which is right up to [`DIGITS_MAX`] digits; returns the place behind the last one, too.
#[inline]
fn read_digits(text: &[u8], start: usize, mut digits: u64) -> (u64, usize) {
    let mut end = start;
    while let Some(eight) = text.get(end..).and_then(<[u8]>::first_chunk) {
        let Some(number) = eight_digits(u64::from_le_bytes(*eight)) else {
            break;
        };
        digits = digits.wrapping_mul(100_000_000).wrapping_add(number);
        end += 8;
    }
    while let Some(digit @ b'0'..=b'9') = text.get(end) {
        digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        end += 1;
    }
    (digits, end)
}

/// The number that eight characters write, the first one in the lowest byte, if all of them are digits.
#[inline]
fn eight_digits(characters: u64) -> Option<u64> {
    let digits = characters ^ 0x3030_3030_3030_3030;
    // The highest bit of each byte that is above nine: by itself, or once 0x76 is added. A carry only reaches bytes
    // behind one that is marked already.
    if (digits | digits.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Neighbours are joined in three steps, all at once: digits to pairs, pairs to fours, fours to eight.
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff)
}

/// The number behind the `e`, and the place behind it.
fn read_exponent(text: &[u8], start: usize) -> Option<(i32, usize)> {
    let is_negative = text.get(start) == Some(&b'-');
    let start = start + usize::from(matches!(text.get(start), Some(b'+' | b'-')));
    let (number, end) = read_digits(text, start, 0);
    if !(1..=DIGITS_MAX).contains(&(end - start)) {
        return None;
    }
    let number = i32::try_from(number).ok()?;
    Some((if is_negative { -number } else { number }, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            "0.12345678901234567890",
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
}
