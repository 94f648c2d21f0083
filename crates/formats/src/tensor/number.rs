//! Decimal numbers to `f32`, correctly rounded, at the speed at which bodies arrive.
//!
//! A number of up to 19 digits fits into 64 bits without its point. As an `f64` it is off by at most half a unit in the
//! last place, and so is its product or quotient with a power of ten that an `f64` holds exactly (Clinger, "How to read
//! floating point numbers accurately", PLDI 1990, section 4). So the `f64` and the number itself lie on the same side of
//! every boundary between two neighbouring `f32`, and become the same `f32`, unless the `f64` is within two units of
//! such a boundary. Then, and for all numbers that are longer, larger or smaller, the standard library is asked.
//!
//! Clients that compute in `f64` write sixteen decimals and more. The first sixteen are enough, unless what they leave
//! out could lead to the other side of a boundary: that distance is known, too.

/// Powers of ten that are exact in an `f64`.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// The same for up to eight digits, as whole numbers.
const WHOLE_POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
/// Eight times the character `0`.
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
/// Digits that 64 bits always hold.
const DIGITS_MAX: usize = 19;
/// What an `f64` has more than an `f32`, in bits of its fraction.
const SPARE_BITS: u32 = 29;
/// The boundary between two `f32`, in the spare bits.
const BOUNDARY: u64 = 1 << (SPARE_BITS - 1);
/// How far an `f64` that was rounded twice can be from the number, in units in its last place, rounded up.
const DOUBT: u64 = 2;
/// The same where decimals may have been left out: they are worth less than one of at least [`CUT_MIN`], 9008 such units.
const CUT_DOUBT: u64 = 1 << 14;
/// What the sixteen decimals before those that are left out have to be worth.
const CUT_MIN: u64 = 1_000_000_000_000;

/// The number in the grammar of JSON that `text` begins with, and its length.
///
/// `None` where there is none, or where it takes more than this to read it.
#[inline(always)]
pub(super) fn read(text: &[u8]) -> Option<(f32, usize)> {
    read_long_fraction(text).or_else(|| read_any(text))
}

/// A zero, a point and 8 to 23 decimals: what clients write that compute in `f64`.
///
/// Images have some with 15, some with 16 and some with 17, and no processor guesses which. So sixteen are always read, with
/// zeros for those that are not there, and only the length depends on how many there are.
#[inline(always)]
fn read_long_fraction(text: &[u8]) -> Option<(f32, usize)> {
    let decimals = text.strip_prefix(b"0.")?;
    let ([first, second, third], _) = decimals.first_chunk::<24>()?.as_chunks::<8>() else {
        return None;
    };
    let (first, second, third) = (
        u64::from_le_bytes(*first),
        u64::from_le_bytes(*second),
        u64::from_le_bytes(*third),
    );
    if others(first) != 0 {
        return None;
    }
    let second_others = others(second);
    // All bits below the first character that is no digit; all there are, where each is one.
    let are_digits = ((second_others & second_others.wrapping_neg()) >> 7).wrapping_sub(1);
    let digits = join(first ^ ZEROS) * WHOLE_POWERS[8] + join((second ^ ZEROS) & are_digits);
    // Decimals behind the sixteenth are counted, and not read.
    let n_cut = if second_others == 0 { n_digits(third) } else { 0 };
    let n_decimals = 8 + n_digits(second) + n_cut;
    if n_cut == 8 || digits < CUT_MIN || matches!(decimals[n_decimals], b'e' | b'E') {
        return None;
    }
    let value = nearest(digits as f64 / 1e16, CUT_DOUBT)?;
    Some((value, 2 + n_decimals))
}

#[inline(never)]
fn read_any(text: &[u8]) -> Option<(f32, usize)> {
    let is_negative = text.first() == Some(&b'-');
    let whole_start = usize::from(is_negative);
    // What most numbers begin with; a zero before the point takes no room in 64 bits.
    let (mut digits, mut end, mut n_digits) = match text.get(whole_start..) {
        Some([b'0', b'.', ..]) => (0, whole_start + 1, 0),
        _ => {
            let (digits, end) = read_digits(text, whole_start, 0);
            (digits, end, end - whole_start)
        }
    };
    if end == whole_start || (n_digits > 1 && text[whole_start] == b'0') {
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
#[inline(always)]
fn round(digits: u64, exponent: i32) -> Option<f32> {
    if digits == 0 {
        return Some(0.0);
    }
    let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
    // A signed conversion is one instruction.
    let exact = i64::try_from(digits).ok()? as f64;
    let double = if exponent < 0 { exact / power } else { exact * power };
    // Below this the fraction of an `f32` is shorter, and above it there is none.
    let is_usual = (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&double);
    if is_usual { nearest(double, DOUBT) } else { None }
}

/// The `f32` that is nearest to a number of which `double` is off by less than `doubt`, where there is only one.
#[inline(always)]
fn nearest(double: f64, doubt: u64) -> Option<f32> {
    let spare = double.to_bits() & ((1 << SPARE_BITS) - 1);
    (spare.abs_diff(BOUNDARY) > doubt).then_some(double as f32)
}

/// Goes on with `digits`, which is right up to [`DIGITS_MAX`] digits; returns the place behind the last one, too.
#[inline(always)]
fn read_digits(text: &[u8], start: usize, mut digits: u64) -> (u64, usize) {
    let mut end = start;
    while let Some(eight) = text.get(end..).and_then(<[u8]>::first_chunk) {
        let (number, n_digits) = leading_digits(u64::from_le_bytes(*eight));
        digits = digits.wrapping_mul(WHOLE_POWERS[n_digits]).wrapping_add(number);
        end += n_digits;
        if n_digits < 8 {
            return (digits, end);
        }
    }
    while let Some(digit @ b'0'..=b'9') = text.get(end) {
        digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        end += 1;
    }
    (digits, end)
}

/// The number that eight characters begin with, and how many of them are its digits.
#[inline(always)]
fn leading_digits(characters: u64) -> (u64, usize) {
    let digits = characters ^ ZEROS;
    match n_digits(characters) {
        8 => (join(digits), 8),
        // Behind zeros, which count for nothing; in two steps, because none of eight would be shifted by all 64 bits.
        n_digits => (join((digits << 8) << (56 - 8 * n_digits)), n_digits),
    }
}

/// How many of eight characters, the first one in the lowest byte, are digits, up to the first that is none.
#[inline(always)]
fn n_digits(characters: u64) -> usize {
    (others(characters).trailing_zeros() / 8) as usize
}

/// The highest bit of the first character that is no digit, and those of some behind it; nothing where all eight are.
#[inline(always)]
fn others(characters: u64) -> u64 {
    let digits = characters ^ ZEROS;
    // Above nine, a byte has its highest bit by itself or once 0x76 is added. A carry only reaches bytes behind one that is
    // marked already.
    (digits | digits.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
}

/// The number of eight digits, the first one in the lowest byte. Neighbours are joined all at once: digits to pairs, then
/// pairs to eight, where both halves of a product are used.
#[inline(always)]
fn join(digits: u64) -> u64 {
    const EVERY_OTHER_PAIR: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let first_and_third = (pairs & EVERY_OTHER_PAIR).wrapping_mul(100 + (1_000_000 << 32));
    let second_and_fourth = (pairs >> 16 & EVERY_OTHER_PAIR).wrapping_mul(1 + (10_000 << 32));
    first_and_third.wrapping_add(second_and_fourth) >> 32
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
mod tests;
