//! The arithmetic with AVX-512: a vector is one register, and there are 32 of them.
#![expect(
    unsafe_code,
    reason = "vector intrinsics are unsafe outside functions that have their target feature"
)]

use std::arch::x86_64::{
    __m512, _CMP_GT_OQ, _CMP_NEQ_UQ, _MM_HINT_T1, _mm_loadu_si128, _mm_prefetch, _mm_sfence, _mm512_add_epi32,
    _mm512_add_ps, _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32,
    _mm512_cvtps_epi32, _mm512_div_ps, _mm512_fmadd_ps, _mm512_fnmadd_ps, _mm512_load_ps, _mm512_maskz_mov_ps,
    _mm512_max_ps, _mm512_mul_ps, _mm512_roundscale_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_shuffle_f32x4, _mm512_shuffle_ps, _mm512_slli_epi32, _mm512_sqrt_ps, _mm512_store_ps, _mm512_stream_ps,
    _mm512_unpackhi_ps, _mm512_unpacklo_ps,
};

use super::{Kernel, Simd};
use crate::{denormals::FlushToZero, lanes::Lanes};

/// Proof that the processor has AVX-512 (F, VL, BW, DQ), AVX2, FMA and the bit instructions.
///
/// Invariant: made by [`Avx512::detect`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(());

/// Intrinsics that touch no memory.
macro_rules! with_avx512 {
    ($arithmetic:expr) => {{
        // SAFETY: the method has a `self`, which exists only where the processor has the instructions.
        unsafe { $arithmetic }
    }};
}

impl Avx512 {
    /// The proof, where the processor (and the operating system) gives it.
    pub(super) fn detect() -> Option<Self> {
        let has_vectors = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma");
        let has_bits = is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        (has_vectors && has_bits).then_some(Self(()))
    }

    #[inline]
    pub(super) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        with_avx512!(run(self, kernel))
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn run<K: Kernel>(avx512: Avx512, kernel: K) -> K::Output {
    let _flush_to_zero = FlushToZero::new();
    kernel.run(avx512)
}

impl Simd for Avx512 {
    type Vector = __m512;
    const MANY_REGISTERS: bool = true;

    #[inline(always)]
    fn splat(self, number: f32) -> __m512 {
        with_avx512!(_mm512_set1_ps(number))
    }

    #[inline(always)]
    fn load(self, from: &Lanes) -> __m512 {
        // SAFETY: `self` proves the instructions; `Lanes` is 64 bytes long and aligned to 64.
        unsafe { _mm512_load_ps(from.0.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, vector: __m512, to: &mut Lanes) {
        // SAFETY: `self` proves the instructions; `Lanes` is 64 bytes long and aligned to 64.
        unsafe { _mm512_store_ps(to.0.as_mut_ptr(), vector) }
    }

    #[inline(always)]
    fn stream(self, vector: __m512, to: &mut Lanes) {
        // SAFETY: `self` proves the instructions; `Lanes` is 64 bytes long and aligned to 64. That it becomes visible
        // late is what the trait says.
        unsafe { _mm512_stream_ps(to.0.as_mut_ptr(), vector) }
    }

    #[inline(always)]
    fn publish(self) {
        with_avx512!(_mm_sfence());
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; 16]) -> __m512 {
        // SAFETY: `self` proves the instructions; the load needs no alignment and reads the 16 bytes of the array.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        with_avx512!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn neg_mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        with_avx512!(_mm512_fnmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        with_avx512!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        with_avx512!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        with_avx512!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        with_avx512!(_mm512_sqrt_ps(a))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        with_avx512!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        with_avx512!(_mm512_roundscale_ps::<0x08>(a))
    }

    #[inline(always)]
    fn exp2_of_whole(self, a: __m512) -> __m512 {
        with_avx512!({
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(a), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }

    #[inline(always)]
    fn positive(self, a: __m512) -> u16 {
        with_avx512!(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, _mm512_setzero_ps()))
    }

    #[inline(always)]
    fn non_zero(self, a: __m512) -> u16 {
        with_avx512!(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, _mm512_setzero_ps()))
    }

    #[inline(always)]
    fn keep(self, lanes: u16, a: __m512) -> __m512 {
        with_avx512!(_mm512_maskz_mov_ps(lanes, a))
    }

    /// Turns 4 × 4 squares within 128-bit parts, then exchanges the parts.
    #[inline(always)]
    fn transpose(self, rows: [__m512; 16]) -> [__m512; 16] {
        with_avx512!({
            let mut pairs = rows;
            for i in 0..8 {
                pairs[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
                pairs[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
            }
            // `columns[4 * i + c]`: column `c` of every 4 × 4 square of rows `4 * i` to `4 * i + 3`.
            let mut columns = pairs;
            for i in 0..4 {
                let [low_01, high_01, low_23, high_23] =
                    [pairs[4 * i], pairs[4 * i + 1], pairs[4 * i + 2], pairs[4 * i + 3]];
                columns[4 * i] = _mm512_shuffle_ps::<0x44>(low_01, low_23);
                columns[4 * i + 1] = _mm512_shuffle_ps::<0xee>(low_01, low_23);
                columns[4 * i + 2] = _mm512_shuffle_ps::<0x44>(high_01, high_23);
                columns[4 * i + 3] = _mm512_shuffle_ps::<0xee>(high_01, high_23);
            }
            let mut turned = columns;
            for c in 0..4 {
                let low_0 = _mm512_shuffle_f32x4::<0x44>(columns[c], columns[4 + c]);
                let low_1 = _mm512_shuffle_f32x4::<0x44>(columns[8 + c], columns[12 + c]);
                let high_0 = _mm512_shuffle_f32x4::<0xee>(columns[c], columns[4 + c]);
                let high_1 = _mm512_shuffle_f32x4::<0xee>(columns[8 + c], columns[12 + c]);
                turned[c] = _mm512_shuffle_f32x4::<0x88>(low_0, low_1);
                turned[4 + c] = _mm512_shuffle_f32x4::<0xdd>(low_0, low_1);
                turned[8 + c] = _mm512_shuffle_f32x4::<0x88>(high_0, high_1);
                turned[12 + c] = _mm512_shuffle_f32x4::<0xdd>(high_0, high_1);
            }
            turned
        })
    }

    #[inline(always)]
    fn prefetch<T>(self, from: &[T]) {
        // SAFETY: a prefetch is a hint; it cannot fault whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.as_ptr().cast()) }
    }
}
