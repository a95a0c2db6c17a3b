//! Ports on the loopback address: a free one, or who holds one.

mod holder;

use std::{
    hash::{BuildHasher, RandomState},
    net::TcpListener,
};

/// The address of every engine. Nothing is ever reachable from another machine.
pub(crate) const HOST: &str = "127.0.0.1";

/// A port nobody listened on a moment ago.
///
/// Not one that the system hands out for port 0: those also serve as source ports, so a client that retries while the
/// engine is down could be connected to itself, and a restart could find its port taken by an outgoing connection.
/// The range ends below the ports of generated services.
pub(crate) fn free() -> u16 {
    let candidates = (0..ATTEMPTS).map(|_| random_port());
    // The caller tries to use it anyway, and then reports who holds it.
    candidates
        .into_iter()
        .find(|port| is_free(*port))
        .unwrap_or(FIRST)
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((HOST, port)).is_ok()
}

/// The program that listens on a port, when this account may know.
pub(crate) fn holder(port: u16) -> Option<String> {
    holder::of(port)
}

fn random_port() -> u16 {
    // The standard library has no random numbers, but it seeds every hasher at random.
    let random = RandomState::new().hash_one(()) % u64::from(LAST - FIRST + 1);
    FIRST + u16::try_from(random).expect("the range is smaller than a port number")
}

const FIRST: u16 = 10_000;
const LAST: u16 = 19_999;
/// With half of the range taken, fifty attempts fail once in 10^15.
const ATTEMPTS: usize = 50;
