//! What the loader does with files, variables, assignments and secrets.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod case;
mod explain;
mod faults;
mod hostile;
mod layers;
mod planted;
mod secrets;
