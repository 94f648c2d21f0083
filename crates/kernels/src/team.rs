//! A few threads that do one thing together, over and over, microseconds apart.
//!
//! [`Team::run`] hands each member one part of the work and returns when all are done. Because every part *owns* what it
//! writes (disjoint `&mut` pieces, split by the caller), the code that uses a team is ordinary safe Rust; the only
//! promise kept by hand is that no member touches a job after `run` has returned.
//!
//! A training step is about 200 µs long and needs two such meetings, so waiting spins for a moment first. Who has to
//! wait for longer sleeps: on a busy machine the other has lost its core to a different program for milliseconds, and a
//! thread that spins or yields meanwhile uses up its own share of time, while one that slept is put first when it is
//! woken. So a busy machine slows training down as it slows any program, and does not stall it.
#![expect(
    unsafe_code,
    reason = "a job borrows from the caller's stack, which threads that live longer cannot express"
)]

use std::{
    any::Any,
    cell::UnsafeCell,
    hint,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle, Thread},
};

/// The most members a team can have.
pub(crate) const MEMBERS_MAX: usize = 16;

/// How often one looks before one sleeps: for some 50 µs, longer than members of a team on free cores wait for each
/// other, and about as long as it takes to fall asleep and be woken.
const SPINS: u32 = if cfg!(miri) { 5 } else { 2_000 };

/// The calling thread and `n - 1` others.
///
/// Dropping the team ends its threads.
pub(crate) struct Team {
    meeting: Arc<Meeting>,
    threads: Vec<JoinHandle<()>>,
}

/// What the members share. Each counter has its cache lines for itself: one side polls while the other side writes.
struct Meeting {
    /// Goes up by one with every job.
    n_jobs: Padded<AtomicUsize>,
    /// Members still at work on the current job, without the caller.
    n_busy: Padded<AtomicUsize>,
    is_over: AtomicBool,
    job: UnsafeCell<Option<Job>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

#[repr(align(128))]
struct Padded<T>(T);

/// What is to be done, and for whom.
struct Job {
    /// Called with the number of the member.
    work: Work,
    /// To be woken when all is done.
    caller: Thread,
}

type Work = *const (dyn Fn(usize) + Sync);

// SAFETY: all fields but `job` are `Send` and `Sync` themselves. `job` is written by the caller alone, and only while
// no member is busy; members read it only between the `Release` increment of `n_jobs` that follows the write and their
// own `Release` decrement of `n_busy`, which the caller awaits (`Acquire`) before it writes again. What its pointer leads
// to is `Sync`.
unsafe impl Sync for Meeting {}
// SAFETY: as above; a pointer to something `Sync` may be used from any thread while it is alive.
unsafe impl Send for Meeting {}

impl Team {
    /// Starts `n_members - 1` threads; a team of one has none.
    ///
    /// # Panics
    /// If `n_members` is not from 1 to [`MEMBERS_MAX`], or if the system gives no thread.
    pub(crate) fn new(n_members: usize) -> Self {
        assert!(
            (1..=MEMBERS_MAX).contains(&n_members),
            "a team has 1 to {MEMBERS_MAX} members, not {n_members}"
        );
        let meeting = Arc::new(Meeting {
            n_jobs: Padded(AtomicUsize::new(0)),
            n_busy: Padded(AtomicUsize::new(0)),
            is_over: AtomicBool::new(false),
            job: UnsafeCell::new(None),
            panic: Mutex::new(None),
        });
        let mut team = Self {
            meeting,
            threads: Vec::with_capacity(n_members - 1),
        };
        for member in 1..n_members {
            let meeting = Arc::clone(&team.meeting);
            let thread = thread::Builder::new()
                .name(format!("training-{member}"))
                .spawn(move || attend(&meeting, member))
                .expect("the system starts a thread");
            team.threads.push(thread);
        }
        team
    }

    /// How many members share the work.
    pub(crate) fn n_members(&self) -> usize {
        self.threads.len() + 1
    }

    /// Gives part `i` to member `i` (the caller is member 0) and returns when all have done theirs.
    ///
    /// Nothing is allocated. A panic in any part is passed on, after all members have finished.
    ///
    /// # Panics
    /// If there are more parts than members.
    pub(crate) fn run<P: Send>(&mut self, parts: impl IntoIterator<Item = P>, work: impl Fn(P) + Sync) {
        let mut parts = parts.into_iter();
        if self.threads.is_empty() {
            parts.by_ref().take(1).for_each(work);
            assert!(parts.next().is_none(), "more parts than members");
            return;
        }
        let mut slots = [const { Mutex::new(None) }; MEMBERS_MAX];
        slots[..self.n_members()]
            .iter_mut()
            .zip(parts.by_ref())
            .for_each(|(slot, part)| *slot = Mutex::new(Some(part)));
        assert!(parts.next().is_none(), "more parts than members");
        self.meet(&|member| {
            let part = slots[member].lock().unwrap_or_else(PoisonError::into_inner).take();
            part.into_iter().for_each(&work);
        });
    }

    fn meet(&mut self, work: &(dyn Fn(usize) + Sync)) {
        let meeting = &*self.meeting;
        // SAFETY: this only forgets the lifetime of the borrow. The pointer is used by this team's members alone, and
        // before this function returns or unwinds: it catches its own panic and waits until no member is busy.
        let pointer = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), Work>(work) };
        let job = Job {
            work: pointer,
            caller: thread::current(),
        };
        meeting.n_busy.0.store(self.threads.len(), Ordering::Relaxed);
        // SAFETY: no member is busy (`meet` has `&mut self` and always awaits the end), so nobody reads the cell until
        // the next line tells the members to.
        unsafe { *meeting.job.get() = Some(job) };
        meeting.n_jobs.0.fetch_add(1, Ordering::Release);
        self.threads.iter().for_each(|thread| thread.thread().unpark());

        let own_outcome = panic::catch_unwind(AssertUnwindSafe(|| work(0)));
        wait_until(|| meeting.n_busy.0.load(Ordering::Acquire) == 0);
        if let Err(panic) = own_outcome {
            panic::resume_unwind(panic);
        }
        let member_panic = meeting.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = member_panic {
            panic::resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.meeting.is_over.store(true, Ordering::Relaxed);
        self.meeting.n_jobs.0.fetch_add(1, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A member catches the panics of its jobs, so there is nothing to pass on.
            let _ended = thread.join();
        }
    }
}

/// The life of a member: wait for a job, do it, say so.
fn attend(meeting: &Meeting, member: usize) {
    let mut n_seen = 0;
    loop {
        wait_until(|| meeting.n_jobs.0.load(Ordering::Acquire) != n_seen);
        n_seen += 1;
        if meeting.is_over.load(Ordering::Relaxed) {
            return;
        }
        // SAFETY: the caller wrote the cell before it raised `n_jobs`, which was read with `Acquire`, and writes again
        // only after this member has lowered `n_busy`; the reference is not used after that.
        let Some(Job { work, caller }) = (unsafe { &*meeting.job.get() }) else {
            unreachable!("a job is there before it is counted");
        };
        let caller = caller.clone();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: the caller keeps the work alive until `n_busy` is zero.
            unsafe { (**work)(member) }
        }));
        if let Err(panic) = outcome {
            *meeting.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
        if meeting.n_busy.0.fetch_sub(1, Ordering::Release) == 1 {
            caller.unpark();
        }
    }
}

/// Spins for a moment, then sleeps; whoever makes it so has to unpark this thread afterwards.
#[inline]
fn wait_until(is_so: impl Fn() -> bool) {
    let mut n_looks = 0;
    while !is_so() {
        if n_looks < SPINS {
            n_looks += 1;
            hint::spin_loop();
        } else {
            // Cannot oversleep: an `unpark` that came before is remembered, and the condition is looked at again.
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        hint, panic,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::{SPINS, Team};

    #[test]
    fn every_part_is_done_once_before_run_returns() {
        for n_members in [1, 2, 3, 7] {
            let mut team = Team::new(n_members);
            let mut totals = vec![0_usize; n_members];
            for _ in 0..if cfg!(miri) { 5 } else { 2_000 } {
                team.run(totals.iter_mut(), |total| *total += 1);
            }
            assert!(
                totals.iter().all(|total| *total == totals[0] && *total > 0),
                "{totals:?}"
            );
        }
    }

    #[test]
    fn who_has_waited_long_enough_to_sleep_is_woken() {
        let mut team = Team::new(3);
        for late in 0..3 {
            let n_done = AtomicUsize::new(0);
            for _ in 0..3 {
                team.run(0..3, |part| {
                    if part == late {
                        (0..SPINS * 20).for_each(|_| hint::spin_loop());
                    }
                    n_done.fetch_add(1, Ordering::Relaxed);
                });
            }
            assert_eq!(n_done.into_inner(), 9);
        }
    }

    #[test]
    fn there_may_be_fewer_parts_than_members() {
        let n_done = AtomicUsize::new(0);
        let mut team = Team::new(3);
        team.run([1, 2], |part| {
            n_done.fetch_add(part, Ordering::Relaxed);
        });
        team.run([0; 0], |_| unreachable!("there is no part"));
        assert_eq!(n_done.into_inner(), 3);
    }

    #[test]
    fn a_panic_in_any_part_is_passed_on_and_the_team_goes_on() {
        for n_members in [1, 2, 4] {
            let mut team = Team::new(n_members);
            for culprit in 0..n_members {
                let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| {
                    team.run(0..n_members, |part| assert!(part != culprit, "on purpose"));
                }));
                assert!(outcome.is_err());
                let n_done = AtomicUsize::new(0);
                team.run(0..n_members, |_| {
                    n_done.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!(n_done.into_inner(), n_members);
            }
        }
    }

    #[test]
    fn more_parts_than_members_are_refused() {
        for n_members in [1, 2] {
            let mut team = Team::new(n_members);
            let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| team.run(0..=n_members, drop)));
            assert!(outcome.is_err());
        }
    }
}
