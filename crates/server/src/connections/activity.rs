//! What a connection is doing: noted by its parts while they work, read by [`watch`](super::watch), which knows the time.
//!
//! Nothing here asks for the time or sets a timer, so a request pays for a few additions to numbers of its own core.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
};

/// What a connection is doing, as far as a time limit depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waits for the first byte.
    Silent,
    /// Waits for the rest of a request's head.
    Head,
    /// Waits for us. What a request may take is limited by those who work on it.
    Working,
    /// Waits until the client takes more of an answer.
    Answering,
    /// Waits until the operating system takes more bytes, which waits for the client.
    Blocked,
    /// Waits for the next request.
    Idle,
    /// Waits until the client has stopped sending what nobody reads.
    Lingering,
}

/// What a connection was doing at one moment. Two that differ have progress between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) phase: Phase,
    n_steps: u32,
}

/// What a connection is doing.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests between their head and the end of their answer.
    n_open: AtomicU32,
    /// Those of them whose answer is on its way.
    n_answering: AtomicU32,
    /// Grows whenever a request gets further.
    n_steps: AtomicU32,
    /// Requests that the client gave up, less those that it let be answered.
    n_resets: AtomicU32,
    /// Bytes came since the last request ended.
    has_received: AtomicBool,
    is_blocked: AtomicBool,
    /// Grows whenever bytes could not be written at once.
    n_blocked: AtomicU32,
    /// An answer was given before the whole request was read.
    leaves_unread: AtomicBool,
    is_lingering: AtomicBool,
}

impl Activity {
    pub(super) fn moment(&self, is_http2: bool) -> Moment {
        let n_steps = self.n_steps.load(Relaxed);
        let phase = if self.is_lingering.load(Relaxed) {
            Phase::Lingering
        } else if self.is_blocked.load(Relaxed) {
            let n_steps = self.n_blocked.load(Relaxed);
            return Moment {
                phase: Phase::Blocked,
                n_steps,
            };
        } else if self.n_answering.load(Relaxed) > 0 {
            Phase::Answering
        } else if self.n_open.load(Relaxed) > 0 {
            Phase::Working
        } else {
            match (n_steps, self.has_received.load(Relaxed)) {
                (0, false) => Phase::Silent,
                (0, true) => Phase::Head,
                // An HTTP/2 client may well send a ping while it has no request.
                (_, true) if !is_http2 => Phase::Head,
                _ => Phase::Idle,
            }
        };
        Moment { phase, n_steps }
    }

    /// Whether there was a request.
    pub(super) fn has_begun(&self) -> bool {
        self.n_steps.load(Relaxed) > 0
    }

    /// Requests that the client gave up, beyond those that it let be answered.
    pub(super) fn n_resets(&self) -> u32 {
        self.n_resets.load(Relaxed)
    }

    pub(super) fn leaves_unread(&self) -> bool {
        self.leaves_unread.load(Relaxed)
    }

    pub(super) fn received(&self) {
        self.has_received.store(true, Relaxed);
    }

    pub(super) fn blocked(&self, is_blocked: bool) {
        if is_blocked != self.is_blocked.load(Relaxed) {
            self.is_blocked.store(is_blocked, Relaxed);
            self.n_blocked.fetch_add(1, Relaxed);
        }
    }

    /// What came was a body that nobody wanted, and there is no more of it.
    pub(super) fn skipped(&self) {
        self.has_received.store(false, Relaxed);
        self.n_steps.fetch_add(1, Relaxed);
    }

    pub(super) fn left_unread(&self) {
        self.leaves_unread.store(true, Relaxed);
    }

    pub(super) fn lingers(&self) {
        self.is_lingering.store(true, Relaxed);
    }
}

/// One request of a connection, from its head to the end of its answer; dropped before, it was given up.
#[derive(Debug)]
pub(super) struct Open {
    activity: Arc<Activity>,
    is_answering: bool,
    is_complete: bool,
}

impl Open {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        activity.n_open.fetch_add(1, Relaxed);
        activity.n_steps.fetch_add(1, Relaxed);
        activity.has_received.store(false, Relaxed);
        Self {
            activity,
            is_answering: false,
            is_complete: false,
        }
    }

    /// The answer is there.
    pub(super) fn answers(&mut self) {
        self.is_answering = true;
        self.activity.n_answering.fetch_add(1, Relaxed);
        self.activity.n_steps.fetch_add(1, Relaxed);
    }

    /// The client took a part of the answer.
    pub(super) fn advances(&mut self) {
        self.activity.n_steps.fetch_add(1, Relaxed);
    }

    /// The client took all of the answer.
    pub(super) fn completes(&mut self) {
        self.is_complete = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let activity = &self.activity;
        if self.is_answering {
            activity.n_answering.fetch_sub(1, Relaxed);
        }
        if self.is_complete {
            let _ = activity
                .n_resets
                .fetch_update(Relaxed, Relaxed, |n_resets| n_resets.checked_sub(1));
        } else {
            activity.n_resets.fetch_add(1, Relaxed);
        }
        activity.has_received.store(false, Relaxed);
        activity.n_steps.fetch_add(1, Relaxed);
        activity.n_open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_goes_through_its_phases() {
        let activity = Arc::new(Activity::default());
        let mut phases = Vec::new();
        let mut note = |activity: &Activity| phases.push(activity.moment(false).phase);
        note(&activity);
        activity.received();
        note(&activity);
        let mut open = Open::new(activity.clone());
        note(&activity);
        open.answers();
        note(&activity);
        activity.blocked(true);
        note(&activity);
        activity.blocked(false);
        open.completes();
        drop(open);
        note(&activity);
        activity.received();
        note(&activity);
        activity.lingers();
        note(&activity);
        assert_eq!(
            phases,
            [
                Phase::Silent,
                Phase::Head,
                Phase::Working,
                Phase::Answering,
                Phase::Blocked,
                Phase::Idle,
                Phase::Head,
                Phase::Lingering
            ]
        );
    }

    #[test]
    fn a_blocked_connection_progresses_only_by_what_it_writes() {
        let activity = Arc::new(Activity::default());
        activity.blocked(true);
        let before = activity.moment(true);
        activity.blocked(true);
        drop(Open::new(activity.clone()));
        assert_eq!(activity.moment(true), before);
        activity.blocked(false);
        activity.blocked(true);
        assert_ne!(activity.moment(true), before);
    }

    #[test]
    fn resets_are_forgiven_by_answers() {
        let activity = Arc::new(Activity::default());
        for is_complete in [true, false, false, false, true] {
            let mut open = Open::new(activity.clone());
            if is_complete {
                open.completes();
            }
        }
        assert_eq!(activity.n_resets(), 2);
    }
}
