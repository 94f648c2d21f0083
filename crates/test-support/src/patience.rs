//! Waiting for something that another thread or process brings about.

use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks; short beside what a person notices, long beside what a look costs.
const PAUSE: Duration = Duration::from_millis(10);

/// Calls `attempt` until it gives a value, and panics with `what` once `limit` has passed.
///
/// This is the only place where tests poll, so that no test sleeps for a guessed time.
pub fn patience<T>(what: &str, limit: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for: {what}");
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    #[test]
    fn a_value_that_comes_late_is_returned() {
        let mut n_looks = 0;
        let value = patience("the third look", Duration::from_secs(5), || {
            n_looks += 1;
            (n_looks == 3).then_some("here")
        });
        assert_eq!((value, n_looks), ("here", 3));
    }

    #[test]
    fn patience_ends_with_what_was_waited_for() {
        let panic = panic::catch_unwind(|| {
            patience("godot", Duration::from_millis(1), || None::<()>);
        });
        let message = *panic.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(message, "waited 1ms in vain for: godot");
    }
}
