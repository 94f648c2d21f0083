//! What becomes of memory that is given back.
#![cfg_attr(
    all(target_os = "linux", target_env = "gnu", not(miri)),
    expect(
        unsafe_code,
        reason = "the allocator is a library of C, and its settings are a call of it"
    )
)]

/// Lets every block of 512 kB and more go back to the system the moment it is freed.
///
/// The C library of GNU does so at first, but stops with the first such block that is freed: from then on blocks up to
/// that size come from the heap of whichever thread asks, and stay there when they are freed. A program that loads models,
/// each of them some blocks of that size, on threads that change, ends with twice the memory that it needs, a little
/// more or less after every load. Smaller blocks, bodies of requests above all, stay with their heaps, for new pages cost
/// more than they do. Other C libraries do nothing of the kind, and nothing is done there.
///
/// To be called once, when a program starts.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
    {
        const LARGE_BYTES: libc::c_int = 512 << 10;
        // SAFETY: `mallopt` takes two numbers, may be called at any time, and changes no block that there is.
        let is_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES) };
        debug_assert_eq!(is_set, 1, "half a megabyte is within the bounds of the setting");
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu", not(miri)))]
mod tests {
    use std::{fs, hint::black_box};

    use super::give_back_large_blocks;

    #[test]
    fn a_large_block_leaves_memory_even_when_a_larger_one_was_freed_before_and_a_later_one_is_kept() {
        // Large enough that what other tests do meanwhile is small beside it; from 32 MB on every block is given back.
        const BLOCK: usize = 24 << 20;
        let resident_bytes = || {
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
            let n_kilobytes = line.split_whitespace().next().unwrap();
            n_kilobytes.parse::<usize>().unwrap() << 10
        };
        give_back_large_blocks();
        drop(black_box(vec![1_u8; 30 << 20]));
        let freed = black_box(vec![1_u8; BLOCK]);
        let _kept = black_box(vec![1_u8; BLOCK]);
        let before = resident_bytes();
        drop(freed);
        let left = before.saturating_sub(resident_bytes());
        assert!(left > BLOCK / 2, "{left} bytes of {BLOCK} went back");
    }
}
