//! How far a server is on its way to its end, for everybody who has to know.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::{Notify, futures::Notified};

/// How far a server is, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It answers.
    Running,
    /// It answers, and asks by its readiness to be asked no more.
    Leaving,
    /// It takes no new connections, and each answer is the last of its connection.
    Closing,
    /// What is not finished is given up.
    Ended,
}

/// How far a server is.
#[derive(Debug)]
pub(crate) struct Life {
    stage: AtomicU8,
    changed: Notify,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self {
            stage: AtomicU8::new(Stage::Running as u8),
            changed: Notify::new(),
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        let stage = self.stage.load(Ordering::SeqCst);
        let stages = [Stage::Running, Stage::Leaving, Stage::Closing, Stage::Ended];
        stages[usize::from(stage)]
    }

    /// Whether each answer is the last one of its connection.
    pub(crate) fn is_closing(&self) -> bool {
        self.stage() >= Stage::Closing
    }

    /// Goes on to a later stage.
    pub(crate) fn advance(&self, stage: Stage) {
        self.stage.fetch_max(stage as u8, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Done with the next change after this call.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Done once this stage is reached.
    pub(crate) async fn reached(&self, stage: Stage) {
        loop {
            let changed = self.changed();
            if self.stage() >= stage {
                return;
            }
            changed.await;
        }
    }
}
