//! A way to the API server that can be cut, as if the server were gone.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Passes on what comes at a port of its own.
pub(super) struct Relay {
    port: u16,
    way: Arc<Mutex<Way>>,
}

/// Whether anything passes, and what does now.
struct Way {
    is_open: bool,
    streams: Vec<TcpStream>,
}

impl Relay {
    /// A way to `address`, for as long as the test runs.
    pub(super) fn start(address: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let streams = Vec::new();
        let way = Arc::new(Mutex::new(Way { is_open: true, streams }));
        let (shared, address) = (Arc::clone(&way), address.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut way = shared.lock().unwrap();
                // A connection that is dropped here is refused, as far as its client can tell.
                if let (true, Ok(there)) = (way.is_open, TcpStream::connect(&address)) {
                    way.streams
                        .extend([stream.try_clone().unwrap(), there.try_clone().unwrap()]);
                    pass(stream.try_clone().unwrap(), there.try_clone().unwrap());
                    pass(there, stream);
                }
            }
        });
        Self { port, way }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts everything that passes, and lets nothing pass from now on.
    pub(super) fn cut(&self) {
        let mut way = self.way.lock().unwrap();
        way.is_open = false;
        for stream in way.streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn mend(&self) {
        self.way.lock().unwrap().is_open = true;
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}
