//! Runs the real binary and looks at what it says and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "whatever fails here fails a test")]

mod bad_input;
mod engines;
mod output;
mod proof;
mod rendering;
mod repository;
mod sandbox;
