//! How many files the process may open, which every connection is one of.

use std::io;

use rustix::{
    io::fcntl_dupfd_cloexec,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use tracing::warn;

use crate::ConnectionLimits;

/// Descriptors for everything else: the listener, the registry's files, the threads' own.
const OTHERS: u32 = 64;

/// The limits, with no more connections than there can be descriptors.
///
/// What an ordinary user may raise is raised first: the lower limit exists for programs that cannot count further. To be
/// called while the process has one thread.
pub(crate) fn fitting(limits: ConnectionLimits) -> ConnectionLimits {
    let allowed = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: allowed.maximum,
        ..allowed
    };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => allowed.maximum,
        Err(_) => allowed.current,
    };
    let connections_max = connections_max(limits.connections_max, allowed);
    if connections_max < limits.connections_max {
        warn!(
            "this process may open {} files, so at most {connections_max} connections",
            allowed.unwrap_or_default()
        );
    }
    make_room(connections_max);
    ConnectionLimits {
        connections_max,
        ..limits
    }
}

/// Lets the system make its table of this process's descriptors large enough, once and for all.
///
/// It would grow by doubling, and as soon as a process has several threads, the one that accepts a connection too many waits
/// each time until every core has taken note: milliseconds in which nobody is answered.
fn make_room(connections_max: u32) {
    let highest = connections_max.saturating_add(OTHERS) - 1;
    if let Ok(highest) = i32::try_from(highest) {
        // Closed again at once. Where it fails, the table grows as it is needed.
        let _ = fcntl_dupfd_cloexec(io::stderr(), highest);
    }
}

/// At least one, because a server that accepts nobody cannot even say so.
fn connections_max(wanted: u32, allowed: Option<u64>) -> u32 {
    let room = allowed.map_or(u64::MAX, |allowed| allowed.saturating_sub(OTHERS.into()).max(1));
    wanted.min(u32::try_from(room).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_other_files() {
        assert_eq!(connections_max(8192, Some(1024)), 960);
        assert_eq!(connections_max(100, Some(1024)), 100);
        assert_eq!(connections_max(100, Some(10)), 1);
        assert_eq!(connections_max(100, None), 100);
    }
}
