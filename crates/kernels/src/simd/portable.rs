//! The arithmetic in plain Rust, for every processor and for Miri.

use std::array;

use super::{Kernel, Simd};
use crate::{denormals::FlushToZero, lanes::Lanes};

/// Needs nothing of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portable;

type Vector = [f32; 16];

impl Portable {
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        let _flush_to_zero = FlushToZero::new();
        kernel.run(self)
    }
}

/// The results mirror what the vector instructions do, to the bit: fused multiply-add rounds once, and the maximum is
/// the second operand where the two do not compare.
impl Simd for Portable {
    type Vector = Vector;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn splat(self, number: f32) -> Vector {
        [number; 16]
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> Vector {
        from.0
    }

    #[inline(always)]
    fn store(self, vector: Vector, to: &mut Lanes) {
        to.0 = vector;
    }

    #[inline(always)]
    fn stream(self, vector: Vector, to: &mut Lanes) {
        self.store(vector, to);
    }

    #[inline(always)]
    fn publish(self) {}

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; 16]) -> Vector {
        bytes.map(f32::from)
    }

    #[inline(always)]
    fn mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        array::from_fn(|j| a[j].mul_add(b[j], c[j]))
    }

    #[inline(always)]
    fn neg_mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        array::from_fn(|j| (-a[j]).mul_add(b[j], c[j]))
    }

    #[inline(always)]
    fn add(self, a: Vector, b: Vector) -> Vector {
        array::from_fn(|j| a[j] + b[j])
    }

    #[inline(always)]
    fn mul(self, a: Vector, b: Vector) -> Vector {
        array::from_fn(|j| a[j] * b[j])
    }

    #[inline(always)]
    fn div(self, a: Vector, b: Vector) -> Vector {
        array::from_fn(|j| a[j] / b[j])
    }

    #[inline(always)]
    fn sqrt(self, a: Vector) -> Vector {
        a.map(f32::sqrt)
    }

    #[inline(always)]
    fn max(self, a: Vector, b: Vector) -> Vector {
        array::from_fn(|j| if a[j] > b[j] { a[j] } else { b[j] })
    }

    #[inline(always)]
    fn round(self, a: Vector) -> Vector {
        a.map(f32::round_ties_even)
    }

    #[inline(always)]
    fn exp2_of_whole(self, a: Vector) -> Vector {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the caller promises whole numbers from -126 to 127"
        )]
        #[expect(clippy::cast_sign_loss, reason = "the bit pattern is meant, whatever the sign")]
        a.map(|whole| f32::from_bits(((whole as i32).wrapping_add(127) << 23) as u32))
    }

    #[inline(always)]
    fn positive(self, a: Vector) -> u16 {
        (0..16).fold(0, |lanes, j| lanes | (u16::from(a[j] > 0.0) << j))
    }

    #[inline(always)]
    fn non_zero(self, a: Vector) -> u16 {
        (0..16).fold(0, |lanes, j| lanes | (u16::from(a[j] != 0.0) << j))
    }

    #[inline(always)]
    fn keep(self, lanes: u16, a: Vector) -> Vector {
        array::from_fn(|j| if lanes >> j & 1 == 1 { a[j] } else { 0.0 })
    }

    #[inline(always)]
    fn transpose(self, rows: [Vector; 16]) -> [Vector; 16] {
        array::from_fn(|i| array::from_fn(|j| rows[j][i]))
    }

    #[inline(always)]
    fn prefetch<T>(self, _from: &[T]) {}
}
