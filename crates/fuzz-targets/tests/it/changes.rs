//! Small changes of seeds, the kinds that fuzzers make.

use fastrand::Rng;

/// Where lengths, signs and the ends of texts change.
const TELLING: [u8; 16] = *b"\x00\x01\x7f\x80\xff0-.e,:[]{}\"";

/// One of `seeds`, changed in one to four places.
pub(crate) fn changed(random: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..random.usize(1..=4) {
        change(random, &mut bytes, seeds);
    }
    bytes
}

fn change(random: &mut Rng, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let place = random.usize(..=bytes.len());
    let end = place + random.usize(..=(bytes.len() - place).min(16));
    match random.u8(..8) {
        0 => bytes.insert(place, TELLING[random.usize(..TELLING.len())]),
        1 => drop(bytes.drain(place..end)),
        2 => bytes.extend_from_within(place..end),
        3 => drop(bytes.splice(place..place, bytes[place..end].to_vec())),
        4 => {
            let other = &seeds[random.usize(..seeds.len())];
            let start = random.usize(..=other.len());
            let part = &other[start..other.len().min(start + random.usize(..64))];
            bytes.splice(place..end, part.iter().copied());
        }
        kind => {
            if let Some(byte) = bytes.get_mut(place) {
                match kind {
                    5 => *byte ^= 1 << random.u8(..8),
                    6 => *byte = TELLING[random.usize(..TELLING.len())],
                    _ => *byte = byte.wrapping_add(random.u8(..3)).wrapping_sub(1),
                }
            }
        }
    }
}
