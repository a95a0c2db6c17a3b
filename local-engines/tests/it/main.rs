//! The engines of this machine, started for real.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod owner;
mod postgres;
mod redis;

use std::{
    thread,
    time::{Duration, Instant},
};

/// Waits until a fact holds, and fails when it does not in good time.
fn eventually(fact: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {fact}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process exists and has not ended.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, state)| !state.starts_with('Z'))
}
