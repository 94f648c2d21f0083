//! The arithmetic with AVX2 and FMA: a vector is two registers, of which there are 16.
#![expect(
    unsafe_code,
    reason = "vector intrinsics are unsafe outside functions that have their target feature"
)]

use std::arch::x86_64::{
    __m256, _CMP_GT_OQ, _CMP_NEQ_UQ, _MM_HINT_T1, _mm_loadl_epi64, _mm_prefetch, _mm_sfence, _mm256_add_epi32,
    _mm256_add_ps, _mm256_and_ps, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmp_ps, _mm256_cmpeq_epi32,
    _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_cvtps_epi32, _mm256_div_ps, _mm256_fmadd_ps, _mm256_fnmadd_ps,
    _mm256_load_ps, _mm256_max_ps, _mm256_movemask_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_round_ps,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_slli_epi32,
    _mm256_sqrt_ps, _mm256_store_ps, _mm256_stream_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::{Kernel, Simd};
use crate::{denormals::FlushToZero, lanes::Lanes};

/// Proof that the processor has AVX2, FMA and the bit instructions.
///
/// Invariant: made by [`Avx2::detect`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

type Vector = [__m256; 2];

/// Intrinsics that touch no memory.
macro_rules! with_avx2 {
    ($arithmetic:expr) => {{
        // SAFETY: the method has a `self`, which exists only where the processor has the instructions.
        unsafe { $arithmetic }
    }};
}

impl Avx2 {
    /// The proof, where the processor (and the operating system) gives it.
    pub(super) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }

    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        with_avx2!(run(self, kernel))
    }
}

#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn run<K: Kernel>(avx2: Avx2, kernel: K) -> K::Output {
    let _flush_to_zero = FlushToZero::new();
    kernel.run(avx2)
}

impl Simd for Avx2 {
    type Vector = Vector;
    const MANY_REGISTERS: bool = false;

    #[inline(always)]
    fn splat(self, number: f32) -> Vector {
        with_avx2!([_mm256_set1_ps(number); 2])
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> Vector {
        let (low, high) = from.0.split_at(8);
        // SAFETY: `self` proves the instructions; `Lanes` is 64 bytes long and aligned to 64, so each half is 32 bytes
        // long and aligned to 32.
        unsafe { [_mm256_load_ps(low.as_ptr()), _mm256_load_ps(high.as_ptr())] }
    }

    #[inline(always)]
    fn store(self, vector: Vector, to: &mut Lanes) {
        let (low, high) = to.0.split_at_mut(8);
        // SAFETY: as in `load`.
        unsafe {
            _mm256_store_ps(low.as_mut_ptr(), vector[0]);
            _mm256_store_ps(high.as_mut_ptr(), vector[1]);
        }
    }

    #[inline(always)]
    fn stream(self, vector: Vector, to: &mut Lanes) {
        let (low, high) = to.0.split_at_mut(8);
        // SAFETY: as in `load`. That it becomes visible late is what the trait says.
        unsafe {
            _mm256_stream_ps(low.as_mut_ptr(), vector[0]);
            _mm256_stream_ps(high.as_mut_ptr(), vector[1]);
        }
    }

    #[inline(always)]
    fn publish(self) {
        with_avx2!(_mm_sfence());
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; 16]) -> Vector {
        let (low, high) = bytes.split_at(8);
        // SAFETY: `self` proves the instructions; each load needs no alignment and reads the 8 bytes of its half.
        let words = unsafe {
            [
                _mm_loadl_epi64(low.as_ptr().cast()),
                _mm_loadl_epi64(high.as_ptr().cast()),
            ]
        };
        with_avx2!([
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(words[0])),
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(words[1])),
        ])
    }

    #[inline(always)]
    fn mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        with_avx2!([_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])])
    }

    #[inline(always)]
    fn neg_mul_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        with_avx2!([_mm256_fnmadd_ps(a[0], b[0], c[0]), _mm256_fnmadd_ps(a[1], b[1], c[1])])
    }

    #[inline(always)]
    fn add(self, a: Vector, b: Vector) -> Vector {
        with_avx2!([_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn mul(self, a: Vector, b: Vector) -> Vector {
        with_avx2!([_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn div(self, a: Vector, b: Vector) -> Vector {
        with_avx2!([_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn sqrt(self, a: Vector) -> Vector {
        with_avx2!([_mm256_sqrt_ps(a[0]), _mm256_sqrt_ps(a[1])])
    }

    #[inline(always)]
    fn max(self, a: Vector, b: Vector) -> Vector {
        with_avx2!([_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn round(self, a: Vector) -> Vector {
        with_avx2!([_mm256_round_ps::<0x08>(a[0]), _mm256_round_ps::<0x08>(a[1])])
    }

    #[inline(always)]
    fn exp2_of_whole(self, a: Vector) -> Vector {
        with_avx2!({
            let bias = _mm256_set1_epi32(127);
            let exponents = [
                _mm256_add_epi32(_mm256_cvtps_epi32(a[0]), bias),
                _mm256_add_epi32(_mm256_cvtps_epi32(a[1]), bias),
            ];
            [
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponents[0])),
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponents[1])),
            ]
        })
    }

    #[inline(always)]
    fn positive(self, a: Vector) -> u16 {
        compare::<_CMP_GT_OQ>(self, a)
    }

    #[inline(always)]
    fn non_zero(self, a: Vector) -> u16 {
        compare::<_CMP_NEQ_UQ>(self, a)
    }

    #[inline(always)]
    fn keep(self, lanes: u16, a: Vector) -> Vector {
        with_avx2!({
            let bit_of_lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let low = _mm256_and_si256(_mm256_set1_epi32(i32::from(lanes)), bit_of_lane);
            let high = _mm256_and_si256(_mm256_set1_epi32(i32::from(lanes >> 8)), bit_of_lane);
            [
                _mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(low, bit_of_lane)), a[0]),
                _mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(high, bit_of_lane)), a[1]),
            ]
        })
    }

    #[inline(always)]
    fn transpose(self, rows: [Vector; 16]) -> [Vector; 16] {
        let mut turned = rows;
        for (row_half, column_half) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut square = [rows[0][0]; 8];
            for i in 0..8 {
                square[i] = rows[8 * row_half + i][column_half];
            }
            for (i, column) in transpose_square(self, square).into_iter().enumerate() {
                turned[8 * column_half + i][row_half] = column;
            }
        }
        turned
    }

    #[inline(always)]
    fn prefetch<T>(self, from: &[T]) {
        // SAFETY: a prefetch is a hint; it cannot fault whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.as_ptr().cast()) }
    }
}

/// Bit `j` is set where lane `j` compares with zero like this. The proof is what makes it safe to call.
#[inline(always)]
#[expect(
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "each mask has eight bits"
)]
fn compare<const HOW: i32>(_avx2: Avx2, a: Vector) -> u16 {
    with_avx2!({
        let zero = _mm256_setzero_ps();
        let low = _mm256_movemask_ps(_mm256_cmp_ps::<HOW>(a[0], zero));
        let high = _mm256_movemask_ps(_mm256_cmp_ps::<HOW>(a[1], zero));
        (low | (high << 8)) as u16
    })
}

/// Turns an 8 × 8 square: 4 × 4 squares within 128-bit halves, then the halves. The proof is what makes it safe to call.
#[inline(always)]
fn transpose_square(_avx2: Avx2, rows: [__m256; 8]) -> [__m256; 8] {
    with_avx2!({
        let mut pairs = rows;
        for i in 0..4 {
            pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
        }
        let mut columns = pairs;
        for i in 0..2 {
            columns[4 * i] = _mm256_shuffle_ps::<0x44>(pairs[4 * i], pairs[4 * i + 2]);
            columns[4 * i + 1] = _mm256_shuffle_ps::<0xee>(pairs[4 * i], pairs[4 * i + 2]);
            columns[4 * i + 2] = _mm256_shuffle_ps::<0x44>(pairs[4 * i + 1], pairs[4 * i + 3]);
            columns[4 * i + 3] = _mm256_shuffle_ps::<0xee>(pairs[4 * i + 1], pairs[4 * i + 3]);
        }
        let mut turned = columns;
        for c in 0..4 {
            turned[c] = _mm256_permute2f128_ps::<0x20>(columns[c], columns[4 + c]);
            turned[4 + c] = _mm256_permute2f128_ps::<0x31>(columns[c], columns[4 + c]);
        }
        turned
    })
}
