//! Public behaviour, under paused time.

#![expect(
    clippy::unwrap_used,
    reason = "functions that tests share are test code too"
)]

mod bodies;
mod cadence;
mod probe;
mod readiness;
mod running;
mod start;
mod stuck;
mod switch;
