//! A TCP port that nothing listens on.

use std::net::{Ipv4Addr, TcpListener};

/// A port of the loopback address that was free a moment ago.
///
/// Another process may take it before the caller does. Where a program can bind port 0 itself and say which port it
/// got, prefer that.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound() {
        TcpListener::bind((Ipv4Addr::LOCALHOST, free_port())).unwrap();
    }
}
