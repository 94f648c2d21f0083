//! Work that would hold up the other requests of its thread.

use std::{cell::Cell, num::NonZeroUsize, sync::Arc, thread};

use tokio::{
    sync::Semaphore,
    task::{self, JoinError},
};

/// Threads beside the runtime's own, as many at a time as there are cores: more would not be done any earlier.
///
/// They give way to those that read, answer and refuse requests, so that a server which is asked for more than it can do
/// says so at once.
pub(crate) struct HeavyWork {
    turns: Arc<Semaphore>,
}

impl HeavyWork {
    pub(crate) fn new() -> Self {
        let n_cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            turns: Arc::new(Semaphore::new(n_cores)),
        }
    }

    /// Does `work` on a blocking thread once it is its turn. Work that has begun is done, even if nobody waits for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.expect("the semaphore is never closed");
        task::spawn_blocking(move || {
            give_way();
            let done = work();
            drop(turn);
            done
        })
        .await
    }
}

thread_local! {
    static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
}

/// Lets all other threads go before this one from now on, where the operating system can do so. It is a thread for
/// blocking work, and the little else that it may do later, reading the registry, has time.
fn give_way() {
    /// A tenth of what a thread gets that gives way to nobody.
    const NICENESS: i32 = 10;
    // Elsewhere it would concern the whole process.
    if cfg!(target_os = "linux") && !GIVES_WAY.replace(true) {
        // Some sandboxes forbid it, and then all threads are equal.
        let _ = rustix::process::setpriority_process(None, NICENESS);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn heavy_work_gives_way_and_nothing_else_does() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let own = niceness();
        let of_heavy = HeavyWork::new().run(niceness).await.unwrap();
        assert_eq!((of_heavy, niceness()), (10.max(own), own));
    }
}
