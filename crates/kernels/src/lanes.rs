//! Sixteen numbers side by side: the grain in which training stores and computes everything.
//!
//! Sixteen `f32` are one cache line, one AVX-512 register, two AVX registers. Every row of a matrix is padded with
//! zeros to whole grains, so no kernel has a remainder loop, and no load crosses a cache line.

/// Numbers in one grain.
pub(crate) const LANES: usize = 16;

/// One grain: a cache line of sixteen numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

/// The activations, gradients or weights of [`UNITS`] neighbouring units.
pub(crate) type UnitRow = [Lanes; 4];

/// Units that are handled together: as many as a machine word has bits, so that "which of them are active" is a word.
pub(crate) const UNITS: usize = 64;

impl Lanes {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);
}

/// How many grains hold `n` numbers.
pub(crate) const fn lanes_for(n: usize) -> usize {
    n.div_ceil(LANES)
}

/// The number at `index` of a row of grains.
#[inline(always)]
pub(crate) fn number(row: &[Lanes], index: usize) -> f32 {
    row[index / LANES].0[index % LANES]
}

/// The place of number `index` in a row of grains.
pub(crate) fn number_mut(row: &mut [Lanes], index: usize) -> &mut f32 {
    &mut row[index / LANES].0[index % LANES]
}
