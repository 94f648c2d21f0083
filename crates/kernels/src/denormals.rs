//! Flush-to-zero while training.
//!
//! The moments of a quiet weight shrink by a factor every step and end as denormal numbers (below 1.2e-38), which many
//! processors handle dozens of times slower than others. With flush-to-zero they become zero. No weight moves by it:
//! such a moment changes its weight by far less than half a unit in the last place.
#![cfg_attr(
    all(target_arch = "x86_64", not(miri)),
    expect(
        unsafe_code,
        reason = "the mode is a processor register that only assembly can reach"
    )
)]

/// Denormal results and operands count as zero on this thread until the guard is dropped; then the mode is as before.
///
/// Works on every x86-64 processor, whatever the instruction set of the kernels; elsewhere (and in Miri) it does
/// nothing, and training is only slower.
pub(crate) struct FlushToZero {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    before: u32,
    /// The mode belongs to a thread, so the guard must not leave it.
    _stays_on_its_thread: std::marker::PhantomData<*const ()>,
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
impl FlushToZero {
    /// Bit 15: denormal results become zero. Bit 6: denormal operands count as zero.
    const MODE: u32 = 0x8040;

    #[inline(always)]
    pub(crate) fn new() -> Self {
        let before = read_mode();
        write_mode(before | Self::MODE);
        Self {
            before,
            _stays_on_its_thread: std::marker::PhantomData,
        }
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
impl Drop for FlushToZero {
    #[inline(always)]
    fn drop(&mut self) {
        write_mode(self.before);
    }
}

#[cfg(not(all(target_arch = "x86_64", not(miri))))]
impl FlushToZero {
    pub(crate) fn new() -> Self {
        Self {
            _stays_on_its_thread: std::marker::PhantomData,
        }
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn read_mode() -> u32 {
    let mut mode = 0_u32;
    // SAFETY: `stmxcsr` stores four bytes at the given address, which is that of a live local `u32`.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut mode, options(nostack, preserves_flags)) };
    mode
}

/// The standard library calls other modes than the default undefined because the compiler may compute at build time, or
/// move across the switch, what would come out differently under the mode. Both are harmless here: all that can differ
/// is whether a number below 1.2e-38 counts as zero. The block is a memory barrier to the compiler, so no load or store
/// of the training data moves across it.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn write_mode(mode: u32) {
    // SAFETY: `ldmxcsr` reads four bytes of a live local. The value was read from this register, with at most the two
    // bits added that turn denormals into zero: reserved bits stay clear, and no exception gets unmasked.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const mode, options(nostack, preserves_flags)) };
}

#[cfg(all(test, target_arch = "x86_64", not(miri)))]
mod tests {
    use std::hint::black_box;

    use super::{FlushToZero, read_mode};

    fn halved_smallest_normal() -> f32 {
        black_box(f32::MIN_POSITIVE) * black_box(0.5)
    }

    #[test]
    fn denormals_are_zero_under_the_guard_and_numbers_after_it() {
        let before = read_mode();
        assert!(halved_smallest_normal() > 0.0);
        {
            let _flush_to_zero = FlushToZero::new();
            assert_eq!(halved_smallest_normal().to_bits(), 0);
        }
        assert!(halved_smallest_normal() > 0.0);
        assert_eq!(
            read_mode() & !0x3f,
            before & !0x3f,
            "all but the sticky exception flags"
        );
    }

    #[test]
    fn a_panic_restores_the_mode() {
        let outcome = std::panic::catch_unwind(|| {
            let _flush_to_zero = FlushToZero::new();
            panic!("on purpose");
        });
        assert!(outcome.is_err());
        assert!(halved_smallest_normal() > 0.0);
    }
}
