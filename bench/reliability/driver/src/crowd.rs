//! Connections that do little or nothing, until the server ends them.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::{STACK_BYTES, options::Crowd};

/// How long one waits before it sends its next byte.
const BETWEEN_BYTES: Duration = Duration::from_secs(1);
/// How long a connection may take to be there.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What became of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was never there.
    Refused,
    /// The server ended it.
    Ended(Instant),
    /// It was there to the end.
    Open,
}

/// Opens connections one after another, watches them until the end, and says in one line of JSON what became of them.
///
/// Each has a thread, so that what they send is spread over time as that of a thousand clients is.
pub(crate) fn run(crowd: &Crowd) -> Result<String, String> {
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(crowd.seconds);
    let fates = thread::scope(|scope| {
        let enter = |index| {
            let arrives = start + Duration::from_secs_f64(f64::from(index) / crowd.pace);
            thread::sleep(arrives.saturating_duration_since(Instant::now()));
            let builder = thread::Builder::new().stack_size(STACK_BYTES);
            builder.spawn_scoped(scope, move || stay(crowd, end))
        };
        let threads: Vec<_> = (0..crowd.connections).map(enter).collect();
        let fate = |thread: Result<thread::ScopedJoinHandle<'_, Fate>, _>| {
            let thread = thread.map_err(|error| format!("cannot start a thread: {error}"))?;
            thread.join().map_err(|_| "a thread ended in a panic".to_owned())
        };
        threads.into_iter().map(fate).collect::<Result<Vec<_>, String>>()
    })?;
    let count = |fate| fates.iter().filter(|found| **found == fate).count();
    let ends = fates.iter().filter_map(|fate| match fate {
        Fate::Ended(at) => Some(at.duration_since(start)),
        Fate::Refused | Fate::Open => None,
    });
    let last_s = ends.max().unwrap_or_default().as_secs_f64();
    let (refused, open) = (count(Fate::Refused), count(Fate::Open));
    Ok(format!("{{\"refused\":{refused},\"open\":{open},\"last_s\":{last_s}}}"))
}

fn stay(crowd: &Crowd, end: Instant) -> Fate {
    let Ok(mut stream) = TcpStream::connect_timeout(&crowd.address, CONNECT_MAX) else {
        return Fate::Refused;
    };
    if stream.write_all(crowd.beginning.as_bytes()).is_err() {
        return Fate::Refused;
    }
    let mut next = Instant::now() + BETWEEN_BYTES;
    loop {
        let now = Instant::now();
        if now >= end {
            return Fate::Open;
        }
        let wakes = if crowd.goes_on { next.min(end) } else { end };
        // A wait of no time would be one without end.
        let wait = wakes.saturating_duration_since(now).max(Duration::from_millis(1));
        if stream.set_read_timeout(Some(wait)).is_err() {
            return Fate::Ended(now);
        }
        match stream.read(&mut [0; 4096]) {
            // An answer such as 408 is no end; the end comes behind it.
            Ok(1..) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if crowd.goes_on && Instant::now() >= next {
                    next += BETWEEN_BYTES;
                    if stream.write_all(b" ").is_err() {
                        return Fate::Ended(Instant::now());
                    }
                }
            }
            Ok(0) | Err(_) => return Fate::Ended(Instant::now()),
        }
    }
}
