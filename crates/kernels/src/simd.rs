//! One arithmetic, written once, for every instruction set: AVX-512, AVX2 with FMA, and portable Rust.
//!
//! A kernel is generic over [`Simd`], whose vector is always sixteen numbers wide: one AVX-512 register, two AVX
//! registers, or an array. All operations work lane by lane, in the same order, rounded the same way, so **every
//! instruction set gives the same bits**. The choice is made at run time ([`InstructionSet::best`]): one binary is fast
//! on every machine.
//!
//! An intrinsic compiles to one instruction only inside a function that has the instruction set as its
//! `#[target_feature]`; elsewhere it is a call, fifty times slower. Therefore [`InstructionSet::run`] enters such a
//! function once, and everything a [`Kernel`] calls from there is `#[inline(always)]`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::lanes::Lanes;

use self::portable::Portable;
#[cfg(target_arch = "x86_64")]
use self::{avx2::Avx2, avx512::Avx512};

/// An instruction set that this machine has.
///
/// Invariant: exists only where the processor has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstructionSet(Tier);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tier {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    Portable(Portable),
}

/// Work that [`InstructionSet::run`] compiles once for each instruction set.
pub(crate) trait Kernel {
    /// What the work returns.
    type Output;

    /// Does the work; the implementation and all it calls must be `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Vectors of sixteen numbers. A value of an implementing type is the proof that the processor has its instructions.
pub(crate) trait Simd: Copy {
    /// Sixteen numbers.
    type Vector: Copy;

    /// Whether twenty and more vectors can stay in registers at a time.
    const MANY_REGISTERS: bool;

    fn splat(self, number: f32) -> Self::Vector;
    fn load(self, from: &Lanes) -> Self::Vector;
    fn store(self, vector: Self::Vector, to: &mut Lanes);
    /// Stores past the caches, for other cores to read after [`Simd::publish`]; before it, anyone may still find the old
    /// numbers.
    fn stream(self, vector: Self::Vector, to: &mut Lanes);
    /// Ends the stores that were streamed: whoever is told afterwards finds the new numbers.
    fn publish(self);
    fn load_bytes(self, bytes: &[u8; 16]) -> Self::Vector;
    /// `a * b + c`, rounded once.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `c - a * b`, rounded once.
    fn neg_mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// The greater number; `b` where they are equal or not comparable.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The nearest whole number, halves to the even one.
    fn round(self, a: Self::Vector) -> Self::Vector;
    /// Two to the power of whole numbers from −126 to 127.
    fn exp2_of_whole(self, a: Self::Vector) -> Self::Vector;
    /// Bit `j` is set where lane `j` is above zero.
    fn positive(self, a: Self::Vector) -> u16;
    /// Bit `j` is set where lane `j` is not zero; what is no number is none either.
    fn non_zero(self, a: Self::Vector) -> u16;
    /// The lanes whose bit is set; zero in the others.
    fn keep(self, lanes: u16, a: Self::Vector) -> Self::Vector;
    /// Lane `j` of vector `i` becomes lane `i` of vector `j`.
    fn transpose(self, rows: [Self::Vector; 16]) -> [Self::Vector; 16];
    /// Asks for the cache line at the start of `from`; changes nothing but time.
    fn prefetch<T>(self, from: &[T]);
}

/// Turns a square of sixteen grains: number `j` of grain `i` becomes lane `i` of vector `j`.
#[inline(always)]
pub(crate) fn transpose<S: Simd>(simd: S, square: &[Lanes; 16]) -> [S::Vector; 16] {
    let mut rows = [simd.splat(0.0); 16];
    for (row, lanes) in rows.iter_mut().zip(square) {
        *row = simd.load(lanes);
    }
    simd.transpose(rows)
}

impl InstructionSet {
    /// The fastest that this machine has.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// All that this machine has, fastest first; the portable one is always there.
    pub fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(Avx512::detect().map(|avx512| Self(Tier::Avx512(avx512))));
            sets.extend(Avx2::detect().map(|avx2| Self(Tier::Avx2(avx2))));
        }
        sets.push(Self(Tier::Portable(Portable)));
        sets
    }

    /// Its name: `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2(_) => "avx2",
            Tier::Portable(_) => "portable",
        }
    }

    /// Does the kernel's work with these instructions.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512(avx512) => avx512.run(kernel),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2(avx2) => avx2.run(kernel),
            Tier::Portable(portable) => portable.run(kernel),
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
