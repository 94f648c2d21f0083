//! Work that would hold up the other requests of its thread.

use std::{num::NonZeroUsize, sync::Arc, thread};

use tokio::{
    sync::Semaphore,
    task::{self, JoinError},
};

/// Threads beside the runtime's own, as many at a time as there are cores.
///
/// More would not be done any earlier, and where all cores are busy each further thread takes a share of the time of
/// those that read requests and refuse them.
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
            let done = work();
            drop(turn);
            done
        })
        .await
    }
}
