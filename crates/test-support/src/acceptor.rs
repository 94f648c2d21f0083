//! The connections of a server that a test plays.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Takes connections on a free port of the loopback address until it is dropped.
#[derive(Debug)]
pub(crate) struct Acceptor {
    address: SocketAddr,
    is_closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Talks with each client on a thread of its own; `talk` is shown whether the server has been dropped.
    pub(crate) fn start(talk: impl Fn(&TcpStream, &AtomicBool) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let is_closed = Arc::new(AtomicBool::new(false));
        let (talk, closed) = (Arc::new(talk), Arc::clone(&is_closed));
        let accept = move || {
            for connection in listener.incoming() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let (talk, closed) = (Arc::clone(&talk), Arc::clone(&closed));
                // A client that goes away in the middle is an ordinary event in a test of faults.
                thread::spawn(move || connection.and_then(|connection| talk(&connection, &closed)));
            }
        };
        Self {
            address,
            is_closed,
            thread: Some(thread::spawn(accept)),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::SeqCst);
        // The thread waits for a connection; this one lets it see that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
