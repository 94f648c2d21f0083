//! Images as nearly everybody writes them: whole, three levels deep, of a fixed size, or all their numbers in one row. Read
//! in one sweep, without a word about what is wrong with others: those are left to [`array`](super::array), which says it.

use super::number;

/// Reads `[[[…], …], …]` with `n_rows` times `n_columns` numbers in each image into `values`, which is empty; returns the
/// length of the text.
///
/// `None` where it is anything else, or has more than `images_max` images; `values` then holds no matter what.
pub(super) fn read(
    text: &[u8],
    (n_rows, n_columns): (usize, usize),
    images_max: usize,
    values: &mut Vec<f32>,
) -> Option<usize> {
    let n_pixels = n_rows.checked_mul(n_columns)?;
    // A number takes a digit and what separates it from the next, so a short text reserves no large buffer.
    if !(1..=text.len() / 2).contains(&n_pixels) {
        return None;
    }
    let mut rest = after(text, b'[')?;
    for n_images in 0..images_max {
        // Zeros are not written again.
        values.resize((n_images + 1) * n_pixels, 0.0);
        rest = after(rest, b'[')?;
        for (index, row) in values[n_images * n_pixels..].chunks_exact_mut(n_columns).enumerate() {
            if index > 0 {
                rest = after(rest, b',')?;
            }
            rest = after_row(after(rest, b'[')?, row)?;
        }
        rest = after(rest, b']')?;
        match next(rest)? {
            (b',', tail) => rest = tail,
            (b']', tail) => return Some(text.len() - tail.len()),
            _ => return None,
        }
    }
    None
}

/// Reads `[…]` with `n_values` numbers into `values`, which is empty; returns the length of the text.
///
/// `None` where it is anything else; `values` then holds no matter what.
pub(super) fn read_row(text: &[u8], n_values: usize, values: &mut Vec<f32>) -> Option<usize> {
    if !(1..=text.len() / 2).contains(&n_values) {
        return None;
    }
    let row = after(text, b'[')?;
    values.resize(n_values, 0.0);
    Some(text.len() - after_row(row, values)?.len())
}

/// The first byte of `text` that is not white space, and what follows it.
#[inline(always)]
fn next(mut text: &[u8]) -> Option<(u8, &[u8])> {
    loop {
        let (&byte, tail) = text.split_first()?;
        if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            return Some((byte, tail));
        }
        text = tail;
    }
}

/// What follows `byte`, which has to come next.
#[inline(always)]
fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    next(text).filter(|(found, _)| *found == byte).map(|(_, tail)| tail)
}

/// Reads the numbers of a row whose bracket is open; returns what follows the one that closes it. `row` holds zeros.
#[inline(always)]
fn after_row<'a>(mut text: &'a [u8], row: &mut [f32]) -> Option<&'a [u8]> {
    let mut n_numbers = 0;
    loop {
        while let [b' ' | b'\n' | b'\r' | b'\t', tail @ ..] = text {
            text = tail;
        }
        // What most numbers of most images are is told by one comparison.
        match text.split_first_chunk() {
            Some((b"0.0,", tail)) => {
                let (n_repeats, rest) = repeats(text, tail);
                n_numbers += 1 + n_repeats;
                text = rest;
                continue;
            }
            Some((b"0.0]", tail)) => return (n_numbers + 1 == row.len()).then_some(tail),
            _ => {}
        }
        let (value, length) = number::read(text)?;
        *row.get_mut(n_numbers)? = value;
        n_numbers += 1;
        let tail = match next(&text[length..])? {
            (b',', tail) => tail,
            (b']', tail) => return (n_numbers == row.len()).then_some(tail),
            _ => return None,
        };
        // Not where it is minus zero, which stands in `row` no more than any other number.
        if value.to_bits() == 0 {
            let (n_repeats, rest) = repeats(text, tail);
            n_numbers += n_repeats;
            text = rest;
        } else {
            text = tail;
        }
    }
}

/// How often what stands in `text` before its end `tail`, a number, a comma and perhaps a blank, stands there again, and
/// what follows the last time. Images are full of zeros, which clients write one like the other.
#[inline(always)]
fn repeats<'a>(text: &'a [u8], mut tail: &'a [u8]) -> (usize, &'a [u8]) {
    if let [b' ', behind @ ..] = tail {
        tail = behind;
    }
    let length = text.len() - tail.len();
    let same = common_prefix(tail, text);
    let n_repeats = match length {
        // Divisions by what is known are a tenth of the others: `0,`, `0, `, `0.0,` and `0.0, `.
        2 => same / 2,
        3 => same / 3,
        4 => same / 4,
        5 => same / 5,
        _ => same / length,
    };
    (n_repeats, &tail[n_repeats * length..])
}

/// How many bytes both begin with. The first one is the shorter.
#[inline(always)]
pub(super) fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    const CHUNK: usize = size_of::<u128>();
    let chunks = one.as_chunks::<CHUNK>().0.iter().zip(other.as_chunks::<CHUNK>().0);
    let mut n_same = 0;
    for (one, other) in chunks {
        let difference = u128::from_le_bytes(*one) ^ u128::from_le_bytes(*other);
        if difference != 0 {
            return n_same + (difference.trailing_zeros() / 8) as usize;
        }
        n_same += CHUNK;
    }
    let rest = one[n_same..].iter().zip(&other[n_same..]);
    n_same + rest.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_two_texts_begin_with_is_counted_whatever_their_lengths() {
        let text: Vec<u8> = (0..70).collect();
        for length in 0..70 {
            assert_eq!(common_prefix(&text[..length], &text), length);
            for place in 0..length {
                let mut other = text.clone();
                other[place] += 1;
                assert_eq!(common_prefix(&text[..length], &other), place);
            }
        }
    }

    #[test]
    fn only_whole_images_are_read() {
        let read = |text: &str| {
            let mut values = Vec::new();
            read(text.as_bytes(), (2, 2), 2, &mut values).map(|length| (length, values))
        };
        let image = vec![1.0, 0.0, 0.0, 0.5];
        assert_eq!(read("[[[1,0],[0,0.5]]], 7"), Some((17, image.clone())));
        assert_eq!(read(" [ [ [1 , 0] , [0, 0.5 ]] ] "), Some((27, image)));
        for text in [
            "",
            "[]",
            "[[]]",
            "[[[1,0],[0,0]]",
            "[[[1,0],[0]]]",
            "[[[1,0],[0,0,0]]]",
            "[[[0,0,0],[0,0]]]",
            "[[[1,0],[0,0],[0,0]]]",
            "[[1,0],[0,0]]",
            "[[[1,0],[0,00]]]",
            "[[[1,0],[0,0,]]]",
            "[[[1,0][0,0]]]",
            "[[[1,0],[0,0]]][",
            "[[[1,0],[0,0]],[[1,0],[0,0]],[[1,0],[0,0]]]",
        ] {
            let is_read = read(text).is_some_and(|(length, _)| length == text.len());
            assert!(!is_read, "{text}");
        }
        let mut values = Vec::new();
        for size in [(1, 0), (1, 4), (1 << 20, 1 << 40), (1 << 40, 1 << 40)] {
            assert_eq!(super::read(b"[[[]]]", size, 1, &mut values), None);
        }
        assert_eq!(values.capacity(), 0);
    }

    #[test]
    fn only_a_row_of_so_many_numbers_is_read() {
        let read = |text: &str| {
            let mut values = Vec::new();
            read_row(text.as_bytes(), 4, &mut values).map(|length| (length, values))
        };
        let values = vec![1.0, 0.0, 0.0, 0.5];
        assert_eq!(read("[1,0,0,0.5], 7"), Some((11, values.clone())));
        assert_eq!(read(" [ 1 , 0, 0 ,0.5 ] "), Some((18, values)));
        for text in [
            "",
            "[]",
            "[1,0,0]",
            "[1,0,0,0,0]",
            "[0,0,0,0,0,0,0]",
            "[1,0,0,00]",
            "[1,0,0,]",
            "[1,0 0,0]",
            "[[1,0],[0,0]]",
            "[1,0,0,null]",
            "[1,0,0,0",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let mut values = Vec::new();
        for n_values in [0, 3, usize::MAX] {
            assert_eq!(read_row(b"[1,2]", n_values, &mut values), None);
        }
        assert_eq!(values.capacity(), 0);
    }

    proptest! {
        #[test]
        fn zeros_are_read_however_they_are_written_and_whatever_stands_between(
            pixels in proptest::collection::vec(prop_oneof![8 => Just("0.0"), 1 => Just("0.05"), 1 => Just("0"), 1 => Just("-0.0")], 60),
            comma in prop_oneof![Just(","), Just(", "), Just(" ,\n  ")],
        ) {
            let rows: Vec<String> = pixels.chunks(20).map(|row| format!("[{}]", row.join(comma))).collect();
            let text = format!("[[{}]]", rows.join(comma));
            let mut values = Vec::new();
            prop_assert_eq!(read(text.as_bytes(), (3, 20), 1, &mut values), Some(text.len()));
            let expected: Vec<u32> = pixels.iter().map(|pixel| pixel.parse::<f32>().unwrap().to_bits()).collect();
            prop_assert_eq!(values.into_iter().map(f32::to_bits).collect::<Vec<_>>(), expected);
        }
    }
}
