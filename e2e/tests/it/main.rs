//! The built programs, run as processes: how they start, serve, suffer, report and stop.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an unexpected error has failed"
)]

mod commands;
mod drain;
mod engines;
mod faults;
mod fixture;
mod load;
mod outages;
mod process;
mod reports;
mod secrets;
